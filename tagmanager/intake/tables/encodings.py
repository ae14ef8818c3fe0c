"""Which characters the bytes of a text mean."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from typing import IO

from charset_normalizer import from_bytes

from tagmanager.intake.tables.kinds import INSTEAD
from tagmanager.intake.tables.problems import Refused, shortened

#: Bytes read at once.
CHUNK = 1 << 20
#: Bytes of lines with letters beyond ASCII that a guess is made from.
SAMPLE = 32_000
#: Points of coherence (the share of a language's usual letters) from which a guess names a language.
SURE = 20.0
#: Windows-1252 as people write it: letters of Western Europe, quotes, dashes, currency, degrees.
_WESTERN = re.compile(r"[À-ÖØ-öø-ÿŒœŠšŽžŸƒ‘’‚“”„†‡•…–—€™¡¢£¥§©ª«®°±²³´µ¶·¹º»¼½¾¿ˆ˜\xa0]+")
#: A capital amid small letters, or a mark within a word, does not occur: then the bytes mean other letters.
_IMPLAUSIBLE = re.compile(
    r"[a-zß-öø-ÿ][À-ÖØ-ÞŠŽŸŒ–—][a-zß-öø-ÿ]|[^\W\d_][£¥§©ª«®±²³´µ¶·¹º»¼½¾¿¢¡ˆ˜‡†•¤¨¬¯¸][^\W\d_]"
)
#: Iceland alone writes þ and ð, and its accents with them; Turkish and Baltic letters have the same bytes.
_NORTHERN, _ICELANDIC = re.compile(r"[þðÞÐ]"), re.compile(r"[áéíóúæÁÉÍÓÚÆ]")
_WORD = re.compile(r"[^\W\d_]+")
#: The encodings, besides Windows-1252, in which spreadsheets of some country save a text.
_USUAL = [
    *(f"cp125{number}" for number in range(9)),
    *("iso8859_2", "iso8859_5", "iso8859_7", "iso8859_9", "koi8_r", "cp866", "cp850", "cp852", "mac_roman"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949", "cp874"),
]
#: Encodings that share their bytes with Windows-1252, so that a few letters cannot tell them apart.
_NEIGHBOURS = (("cp1250", "Windows-1250"), ("cp1257", "Windows-1257"))
#: Control characters that no text holds.
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a text. A guess has a `sample` to check it by; without certainty only ASCII counts."""

    name: str
    label: str = "UTF-8"
    is_guess: bool = False
    is_known: bool = True  # False: decoded byte by byte, so that letters beyond ASCII are not to be used
    line: int = 0  # of the sample
    sample: str = ""
    others: str = ""  # the same line in the encodings that are as likely

    @property
    def remark(self) -> str:
        """A guess in a sentence, with a line by which a wrong one is seen; "" where nothing was guessed."""
        if not self.is_guess:
            return ""
        but = f" (it would be {self.others}; if that is right, save it as CSV UTF-8)" if self.others else ""
        return f"read as {self.label}, as in line {self.line:,}: {self.sample}{but}"


def find(content: IO[bytes]) -> Encoding:
    """The encoding of the whole text; raises `Refused` where it is no text."""
    content.seek(0)
    head = content.read(CHUNK)
    for mark, name, label in _MARKS:
        if head.startswith(mark):
            return _marked(content, name, label)
    if b"\0" in head:
        return _wide(content, head)
    if (number := _first_line_not_utf_8(content)) is None:
        return Encoding("utf-8")
    if _CONTROL.search(head):
        raise _no_text()
    return _guessed(content, number)


def _marked(content: IO[bytes], name: str, label: str) -> Encoding:
    """The mark says it; what follows has to agree."""
    decoder = codecs.getincrementaldecoder(name)()
    content.seek(0)
    read = 0
    try:
        while chunk := content.read(CHUNK):
            decoder.decode(chunk)
            read += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as problem:
        raise Refused(
            f"The file says that it is {label}, but from byte {read + problem.start:,} on it is not. Save "
            "it again "
            "as CSV UTF-8.",
            code="encoding",
        ) from problem
    return Encoding(name, label)


def _wide(content: IO[bytes], head: bytes) -> Encoding:
    """UTF-16 without a mark: nearly every second byte is zero, because most letters are Latin."""
    head = head[: len(head) // 2 * 2]
    for name, zeros, others in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
        is_likely = zeros.count(0) > 0.7 * len(zeros) and not others.count(0) and not _CONTROL.search(others)
        if is_likely and _is_in(content, name):
            return Encoding(name, "UTF-16")
    return _wide_by_script(content, head)


def _wide_by_script(content: IO[bytes], head: bytes) -> Encoding:
    """UTF-16 without a mark in another script: read in the wrong order, its line breaks are no characters."""
    found = [
        (name, text)
        for name in ("utf-16-le", "utf-16-be")
        if _is_writing(text := head.decode(name, "replace")) and _is_in(content, name)
    ]
    if len(found) != 1:
        raise _no_text()
    name, text = found[0]
    lines = enumerate(text.splitlines(), 1)
    line, sample = next(((number, line) for number, line in lines if not line.isascii()), (1, ""))
    return Encoding(name, "UTF-16", is_guess=True, line=line, sample=shortened(sample, 80))


def _is_writing(text: str) -> bool:
    """Whether a text has lines, and nothing but characters that people write."""
    cut = text.removesuffix("\N{REPLACEMENT CHARACTER}")
    return bool(re.search(r"[\r\n]", cut)) and not [
        char
        for char in set(cut)
        if char not in "\r\n\t" and unicodedata.category(char) in {"Cc", "Cn", "Co", "Cs"}
    ]


def _no_text() -> Refused:
    return Refused(f"The file holds bytes that are not text. {INSTEAD}", code="encoding")


def _first_line_not_utf_8(content: IO[bytes]) -> int | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    content.seek(0)
    lines = 1
    while True:
        chunk = content.read(CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as problem:
            return lines + problem.object[: problem.start].count(b"\n")
        if not chunk:
            return None
        lines += chunk.count(b"\n")


def _guessed(content: IO[bytes], broken: int) -> Encoding:
    sample, line = _odd_lines(content)
    if _is_mostly_utf_8(sample):
        raise Refused(
            f"The file is UTF-8, but line {broken:,} holds bytes that are not: it was cut or put together. "
            "Save it "
            "again as CSV UTF-8.",
            code="encoding",
        )
    guess = _western(sample)
    known = _language(sample, guess)
    name = known or ("cp1252" if guess else "")
    if not name:
        return Encoding("latin-1", "an unknown encoding", is_known=False)
    if not _is_in(content, name):
        return Encoding("latin-1", "an unknown encoding", is_known=False)
    label = "Windows-1252" if name == "cp1252" else name.replace("cp125", "Windows-125")
    text = sample.split(b"\n", 1)[0].decode(name, "replace")
    others = "" if known else _others(sample, text)
    return Encoding(name, label, is_guess=True, line=line, sample=shortened(text, 80), others=others)


def _others(sample: bytes, western: str) -> str:
    """The first line of the sample as countries with other letters would read it; "" where they agree."""
    line = sample.split(b"\n", 1)[0]
    found = []
    for name, label in _NEIGHBOURS:
        try:
            text = line.decode(name)
        except UnicodeDecodeError:
            continue
        odd = [char for char, before in zip(text, western, strict=True) if char != before]
        if odd and all(map(str.isalpha, odd)) and not _IMPLAUSIBLE.search(text):
            found.append(f"{shortened(text, 80)} in {label}")
    return " or ".join(found)


def _odd_lines(content: IO[bytes]) -> tuple[bytes, int]:
    """Lines with bytes beyond ASCII, and the number of the first."""
    content.seek(0)
    found: list[bytes] = []
    first, size, number = 0, 0, 0
    while size < SAMPLE and (line := content.readline(SAMPLE)):
        for part in line.splitlines() or [line]:  # old Mac files end their lines with \r alone
            number += 1
            if not part.isascii():
                first = first or number
                found.append(part)
                size += len(part)
    return b"\n".join(found)[: 2 * SAMPLE], first


def _is_mostly_utf_8(sample: bytes) -> bool:
    odd = len(re.findall(rb"[\x80-\xff]+", sample))
    valid = len(
        re.findall(
            rb"(?<![\x80-\xff])(?:[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2})+(?![\x80-\xff])", sample
        )
    )
    return valid > 0 and 2 * valid >= odd


def _western(sample: bytes) -> str:
    """The sample in Windows-1252 if it then looks like words of Western Europe; else ""."""
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    if _IMPLAUSIBLE.search(text) or [
        char for char in text if not char.isascii() and not _WESTERN.match(char)
    ]:
        return ""
    if _NORTHERN.search(text) and not _ICELANDIC.search(text):
        return ""
    odd = [word for word in _WORD.findall(text) if not word.isascii()]
    letters = sum(map(len, odd))
    beyond = sum(not char.isascii() for word in odd for char in word)
    return text if 2 * beyond <= letters + len(odd) else ""


def _language(sample: bytes, western: str) -> str:
    """The encoding in which the sample is clearly of some language, unless Windows-1252 does as well."""
    matches = [one for one in from_bytes(sample, cp_isolation=_USUAL) if not _IMPLAUSIBLE.search(str(one))]
    if not matches:
        return ""
    best = matches[0]
    rivals = [
        one for one in matches if str(one) != str(best) and one.percent_chaos <= best.percent_chaos + 2.0
    ]
    if western and (str(best) == western or any(str(one) == western for one in rivals)):
        return ""
    if [one for one in rivals if one.percent_coherence >= best.percent_coherence - 5.0]:
        return ""
    if best.percent_coherence >= SURE:
        return best.encoding
    is_long = len(sample) >= 16 and best.percent_chaos < 7.0
    return best.encoding if is_long and not rivals and not western else ""


def _is_in(content: IO[bytes], name: str) -> bool:
    """Whether all of the text is in this encoding."""
    decoder = codecs.getincrementaldecoder(name)()
    content.seek(0)
    try:
        while chunk := content.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
