"""Uploaded text files, as every form takes them."""

from __future__ import annotations

from itertools import islice

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

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
    with pytest.raises(ValidationError, match="The file holds bytes that are not text"):
        cleaned(b"\x01\xff\xfe").lines()
    with pytest.raises(ValidationError, match="The encoding of the file cannot be told"):
        cleaned("ü".encode("cp850")).lines()


def test_a_text_in_another_encoding_is_read() -> None:
    assert list(cleaned("ö\n".encode("utf-16")).lines()) == ["ö\n"]
    assert list(cleaned("grün\n".encode("cp1252")).lines()) == ["grün\n"]


def test_no_file_may_be_larger_than_the_setting_says(settings: Settings) -> None:
    settings.UPLOAD_LIMIT = 10
    with pytest.raises(ValidationError, match="raise UPLOAD_LIMIT"):
        cleaned(b"x" * 11)


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
