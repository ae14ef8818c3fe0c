"""Ticket numbers as people, spreadsheets and pages write them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from jobs.common.input import MAX_INT64, whole_number

#: How a number was written, where that is worth telling.
THOUSANDS, DECIMALS, ADDRESS, SEVERAL = "thousands", "decimals", "address", "several"
#: A number with a decimal comma, as the separator of a table cuts it: 40214,0. "40,000" may be thousands.
DECIMAL_COMMA = re.compile(r"[1-9]\d*,0{1,2}|[1-9]\d{3,},0+")
#: A comma run of more groups than this is longer than any ticket number, so it is a list.
MOST_GROUPS = 4
#: Digits that a spreadsheet keeps of a number.
EXACT_DIGITS = 15

_PLAIN = re.compile(r"[\d#]+")
_ADDRESS = re.compile(r"(?:/|\b)(?:tickets|requests)/(\d+)\b")
_LOOKS_LIKE_ADDRESS = re.compile(r"https?:|\bzendesk\.com/|HYPERLINK", re.IGNORECASE)
_WORD_BEFORE = re.compile(
    r"(?:ticket|request|case)\s*(?:id|no\.?|nr\.?|number)?\s*[:#]?\s*#?\s*(?=\d)", re.IGNORECASE
)
_FORMULA = re.compile(r'="?([^"]*)"?')
_EXPONENT = re.compile(r"([+-]?)(\d+)(?:[.,](\d+))?[eE]([+-]?\d+)")
_ZERO_DECIMALS = re.compile(r"(\d+)[.,](0+)")
_GROUPED = re.compile(r"(?!0)\d{1,3}(?P<mark>[,.'’´`٬_\u00a0\u2007\u2009\u202f])\d{3}(?:(?P=mark)\d{3})*")
_INDIAN = re.compile(r"(?!0)\d{1,2}(?:,\d{2})+,\d{3}")
_BLANK_GROUPS = re.compile(r"(?!0)\d{1,3}(?: \d{3})+")
_PHONE = re.compile(r"\d\)\s*\d")  # (555) 123 4567
_BETWEEN = re.compile(r"[\s;|]+")
#: What may stand around a number: quotes, an apostrophe that makes it text, brackets.
_AROUND = "'\"’‘“”`()[]<>{}.:,;"


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of a cell, and how they were written."""

    numbers: tuple[int, ...]
    how: str = ""


@dataclass(frozen=True, slots=True)
class NoNumber:
    """Why a cell is no ticket number: "" where it just is not one, or a sentence without its line."""

    why: str = ""
    is_doubtful: bool = False  # it may be read in two ways, so a person has to say which


def read(cell: str) -> Found | NoNumber:
    """The ticket numbers of one cell, which is not empty."""
    number = whole_number(cell, least=1)
    if number is not None:
        return Found((number,))
    text = _stripped(cell)
    if (address := _addressed(text)) is not None:
        return address
    text = _WORD_BEFORE.sub("", text, count=1) if text[:1].isalpha() else text
    return _one(text) or _many(text) or NoNumber()


def _one(text: str) -> Found | NoNumber | None:
    number = whole_number(re.sub(r"^#\s*", "", text), least=1)
    if number is not None:
        return Found((number,))
    return _exponent(text) or _with_marks(text)


def _exponent(text: str) -> Found | NoNumber | None:
    found = _EXPONENT.fullmatch(text)
    if not found:
        return None
    sign, whole, part, power = found[1], found[2], found[3] or "", int(found[4][:5])
    digits = (whole + part).rstrip("0")
    zeros = power - len(part) + (len(whole + part) - len(digits))
    shown = len(whole) + len(part)
    if sign == "-" or zeros < 0 or power + len(whole) > shown:
        return NoNumber(
            f"{text}: the spreadsheet cut the digits. Format the column as a number without decimals, and "
            "save it "
            "again."
        )
    return _found(int(digits or "0") * 10**zeros, DECIMALS)


def _with_marks(text: str) -> Found | NoNumber | None:
    """A number with decimals that are zero, or with marks between its thousands."""
    decimals, grouped = _ZERO_DECIMALS.fullmatch(text), _GROUPED.fullmatch(text) or _INDIAN.fullmatch(text)
    if decimals and grouped:
        mark = "comma" if "," in text else "point"
        return NoNumber(
            f"did you mean {decimals[1]}{decimals[2]}, or {decimals[1]}? Write {text} without the {mark}.",
            is_doubtful=True,
        )
    if decimals:
        return _found(int(decimals[1][: EXACT_DIGITS + 5]), DECIMALS)
    if grouped:
        return _found(int(re.sub(r"\D", "", text)), THOUSANDS)
    mixed = re.fullmatch(r"(\d{1,3}(?:[.'’]\d{3})+),0+|(\d{1,3}(?:[,'’]\d{3})+)\.0+", text)
    if mixed:
        return _found(int(re.sub(r"\D", "", mixed[1] or mixed[2])), THOUSANDS)
    if _BLANK_GROUPS.fullmatch(text):
        joined, parts = text.replace(" ", ""), joined_words(text.split())
        return NoNumber(
            f"did you mean {joined}, or {parts}? Write {joined} without blanks, or a number in each cell.",
            is_doubtful=True,
        )
    return None


def _many(text: str) -> Found | NoNumber | None:
    """Several numbers in one cell: all of them, if each is a plain one."""
    if _PHONE.search(text):
        return None
    numbers: list[int] = []
    for run in _BETWEEN.split(re.sub(r"#\s+(?=\d)", "#", text)):
        if joined := doubtful_run(run):
            return NoNumber(doubt_about_run(run, joined), is_doubtful=True)
        for word in filter(None, (word.strip(_AROUND) for word in run.split(","))):
            one = _one(word)
            if not isinstance(one, Found):
                return one
            numbers += one.numbers
    return Found(tuple(numbers), SEVERAL) if len(numbers) > 1 else None


def _addressed(text: str) -> Found | None:
    """The ticket of an address, or of a link to one."""
    if "/" not in text or not (numbers := set(_ADDRESS.findall(text))):
        return None
    found = [number for number in (whole_number(each, least=1) for each in numbers) if number]
    return Found((found[0],), ADDRESS) if len(found) == 1 else None


def _found(number: int, how: str) -> Found | None:
    return Found((number,), how) if 0 < number <= MAX_INT64 else None


def _stripped(cell: str) -> str:
    """Without what cannot be seen and without quotes around; digits of any script as plain digits."""
    text = cell
    if not text.isascii():
        text = "".join(_plain_char(char) for char in text)
    text = text.strip()
    if formula := _FORMULA.fullmatch(text):
        text = formula[1]
    return text.strip().strip(_AROUND).strip()


def _plain_char(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.category(char) in {"Cf", "Cc"}:
        return ""
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    wide = unicodedata.normalize("NFKC", char)
    return wide if wide in {"#", ",", ".", "/", ":", "-", "'", '"', "(", ")"} else char


def is_grouped_by_blanks(text: str) -> bool:
    """Whether a cell looks like one number with blanks between its thousands."""
    return bool(_BLANK_GROUPS.fullmatch(text))


def doubtful_run(text: str) -> str:
    """The number that digits joined by commas may be, if they may also be several numbers; else "".

    "40,214" may be 40214, and "40,214,40,215" two such numbers. "1,2,3" is a list, and so is "101,4502,77",
    because no group after a thousands separator has four digits.
    """
    parts = text.split(",")
    if len(parts) < 2 or not all(part.isascii() and part.isdigit() for part in parts):
        return ""
    if _INDIAN.fullmatch(text) and any(part.startswith("0") for part in parts[1:-1]):
        return text.replace(",", "")
    numbers: list[list[str]] = []
    for part in parts:
        if len(part) > 3 or (not numbers and part.startswith("0")):
            return ""
        if not numbers or len(part) < 3:
            numbers.append([part])
        else:
            numbers[-1].append(part)
    if any(not 1 < len(groups) <= MOST_GROUPS or groups[0].startswith("0") for groups in numbers):
        return ""
    return " and ".join("".join(groups) for groups in numbers)


def doubt_about_run(text: str, joined: str) -> str:
    """The question about `text`, for which `doubtful_run` gave `joined`, without its line."""
    parts = text.split(",")
    shown = joined_words(parts) if len(parts) < 7 else f"{len(parts)} numbers"
    return (
        f"did you mean {joined}, or {shown}? For one number leave the comma out; for several put a blank "
        "after each "
        "comma."
    )


def joined_words(words: list[str]) -> str:
    """Words as a list in a sentence: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
