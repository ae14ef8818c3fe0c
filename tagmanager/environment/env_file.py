"""The lines of a `.env` file."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import Binding, parse_stream

#: What an environment can hold as a name.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: An editor's mark of the encoding; files that were joined have one in the middle.
BYTE_ORDER_MARK = re.compile(r"^\ufeff", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class EnvFile:
    """Values by name. `faults` make the file unusable, `notes` say what is odd; neither quotes a value."""

    values: dict[str, str]
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read(path: Path) -> EnvFile:
    """Read `NAME=value` lines; a file that does not exist is empty, one that cannot be read is a fault.

    `export NAME=value`, blanks around `=`, quotes, and comments behind a blank are understood; a dollar sign
    is one. Of two definitions of a name the last one counts, and a note says so.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return EnvFile({})
    except UnicodeDecodeError:
        return EnvFile({}, (f"{path} is not a text in UTF-8. Save it as UTF-8.",))
    except OSError as problem:
        return EnvFile({}, (f"{path} cannot be read: {problem.strerror}.",))
    if "\0" in text:
        return EnvFile({}, (f"{path} is not a text in UTF-8: it has NUL characters. Save it as UTF-8.",))
    return _parse(path, BYTE_ORDER_MARK.sub("", text))


def _parse(path: Path, text: str) -> EnvFile:
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    faults: list[str] = []
    notes: list[str] = []
    for binding in parse_stream(io.StringIO(text, newline="")):
        line = _line_of(binding)
        if not binding.error and binding.key is None:
            continue  # a comment or blank lines
        if binding.error or binding.value is None or not NAME.fullmatch(binding.key or ""):
            faults.append(f"Line {line} of {path} is not of the form NAME=value.")
            continue
        if re.search(r"[\r\n]", binding.value):
            faults.append(f"Line {line} of {path} opens a quote that is not closed on that line.")
            continue
        name = str(binding.key)
        if name in lines:
            notes.append(
                f"{name} is set twice in {path}, on lines {lines[name]} and {line}: the last one counts."
            )
        lines[name], values[name] = line, binding.value
    return EnvFile(values, tuple(faults), tuple(notes))


def _line_of(binding: Binding) -> int:
    """The parser counts from the blank lines before it."""
    original = binding.original
    blank = original.string[: len(original.string) - len(original.string.lstrip())]
    return original.line + len(re.findall(r"\r\n|\n|\r", blank))
