"""What is asked of a job besides its tool's parameters: a column of its own, once part of the parameters.

Both are opaque here. A program of the release before reads and writes parameters alone, and during a rolling
deploy it may run a job that this one made: so options are copied into the parameters as well. A tool's own
parameters of these names stand aside for them. An old program then keeps to the options, and its tool stops
for want of a parameter, instead of taking "only" for a filter or "guard" for a tag. Rows that such a program
made have no options (null); theirs are read from the parameters. The copies can go with the release after
next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

#: The options that programs of the release before look for among the parameters, with their types in JSON. A
#: value of another type is none: it was the parameter of a tool of one's own.
MOVED: dict[str, type] = {"only": dict, "guard": str, "include_closed": bool, "field_names": dict}
#: Beside the options: the tool's own parameters of these names.
OWN = "_own"


def to_store(params: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[Json, Json]:
    """The two columns, parameters and options, of a new job."""
    own = {name: value for name, value in params.items() if name in MOVED}
    others = {name: value for name, value in params.items() if name not in MOVED}
    copies = {name: value for name, value in options.items() if name in MOVED}
    return {**others, **copies}, {**options, **({OWN: own} if own else {})}


def options_of(params: Json, options: Json | None) -> Json:
    """The options of a stored job."""
    if options is None:
        return moved(params)
    return {name: value for name, value in options.items() if name != OWN}


def params_of(params: Json, options: Json | None) -> Json:
    """The parameters of a stored job that its tool gave it, without the copies of options."""
    copies = options_of(params, options).keys() & MOVED.keys()
    own: Json = (options or {}).get(OWN, {})
    return {name: value for name, value in params.items() if name not in copies} | own


def moved(params: Json) -> Json:
    """The options among parameters as a program of the release before wrote them."""
    return {name: params[name] for name, kind in MOVED.items() if isinstance(params.get(name), kind)}
