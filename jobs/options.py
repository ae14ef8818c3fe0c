"""What is asked of a job besides its tool's parameters: a column of its own, once part of the parameters.

Both are opaque here. A program of the release before reads and writes parameters alone, and during a rolling
deploy it may run a job that this one made: so options are copied into the parameters as well, where the
tool has no parameter of that name. Rows that such a program made have no options (null); theirs are read from
the parameters. The copies can go with the release after next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

#: The options that programs of the release before look for among the parameters.
MOVED = ("only", "guard", "include_closed", "field_names")
#: Beside the options: names of `MOVED` whose value among the parameters is the tool's own, and no copy.
OWN = "_own"


def to_store(params: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[Json, Json]:
    """The two columns, parameters and options, of a new job."""
    own = [name for name in MOVED if name in params and name in options]
    copies = {name: value for name, value in options.items() if name in MOVED and name not in own}
    return {**params, **copies}, {**options, **({OWN: own} if own else {})}


def options_of(params: Json, options: Json | None) -> Json:
    """The options of a stored job."""
    if options is None:
        return moved(params)
    return {name: value for name, value in options.items() if name != OWN}


def params_of(params: Json, options: Json | None) -> Json:
    """The parameters of a stored job that its tool gave it, without the copies of options."""
    own, options = (options or {}).get(OWN, ()), options_of(params, options)
    return {
        name: value
        for name, value in params.items()
        if name in own or name not in MOVED or name not in options
    }


def moved(params: Json) -> Json:
    """The options among parameters as a program of the release before wrote them."""
    return {name: params[name] for name in MOVED if name in params}
