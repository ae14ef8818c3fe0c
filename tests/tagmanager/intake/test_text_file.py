"""Uploaded text files, as every form takes them."""

from __future__ import annotations

from itertools import islice

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from tagmanager.intake.text_file import TextFile, TextFileField

FIELD = TextFileField(
    holds="Give two lines.", most_bytes=20, too_large="This is no two lines.", required=False
)


def cleaned(content: bytes) -> TextFile:
    file = FIELD.clean(SimpleUploadedFile("two.csv", content))
    assert file is not None
    return file


def test_the_lines_keep_their_breaks_and_lose_the_byte_order_mark() -> None:
    file = cleaned("a,ö\r\nb\n".encode("utf-8-sig"))
    assert (file.name, list(file.lines())) == ("two.csv", ["a,ö\r\n", "b\n"])


def test_no_file_is_none() -> None:
    assert FIELD.clean(None) is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty. Give two lines."),
        (b"x" * 21, "This is no two lines."),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_in_words(content: bytes, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        cleaned(content)
    assert refused.value.messages == [sentence]


def test_a_file_that_is_not_text_is_refused() -> None:
    lines = cleaned(b"\xff\xfe1\x00").lines()
    with pytest.raises(ValidationError, match="not a text file in UTF-8"):
        list(lines)


def test_reading_a_part_of_the_lines_leaves_the_upload_open() -> None:
    file = cleaned(b"1\n2\n3\n")
    assert list(islice(file.lines(), 2)) == ["1\n", "2\n"]
    assert not file.upload.closed


def test_a_reader_that_is_dropped_after_the_upload_was_closed_raises_nothing() -> None:
    file = cleaned(b"1\n2\n3\n")
    lines = file.lines()
    next(lines)
    file.upload.close()
    del lines  # an exception here would be an unraisable one, which fails the test
