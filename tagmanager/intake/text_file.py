"""Files that somebody uploads: a text as its lines, or a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from tagmanager.intake.tables import encodings
from tagmanager.intake.tables.given import Answers, Given
from tagmanager.intake.tables.text import Text

NOT_TEXT = "The encoding of the file cannot be told. Save it as CSV UTF-8, and choose it again."
TABLES = ".csv,.tsv,.txt,.xlsx,.xlsm,.xls,.xlsb,.ods,text/csv,text/plain"


@dataclass(frozen=True, slots=True)
class TextFile:
    """What a valid `TextFileField` holds."""

    name: str
    upload: UploadedFile[Any]

    def lines(self) -> Iterator[str]:
        """The lines with their line breaks, read as a stream; raises `ValidationError` where no text is.

        Read it inside the form's cleaning, so that the sentence stands at the field.
        """
        content: Any = self.upload.file
        encoding = encodings.find(content)
        if not encoding.is_known:
            raise ValidationError(NOT_TEXT, code="encoding")
        return Text(content, encoding).lines()


class TextFileField(forms.FileField):
    """Cleaned to a `TextFile`, or to None where no file was chosen.

    `holds` says what is to be in the file: "Give a table with the columns old and new." Of a file of more
    than `most_bytes` it says `too_large`; no file may be larger than the setting `UPLOAD_LIMIT`.
    """

    def __init__(
        self, *, holds: str, most_bytes: int | None = None, too_large: str = "", **options: Any
    ) -> None:
        self.most_bytes = most_bytes
        sentences = {
            "empty": f"The file is empty. {holds}",
            "invalid": "The file did not arrive. Choose it again.",
            "missing": "The file did not arrive. Choose it again.",
            "large": too_large or "The file is too large. Choose another.",
        }
        options.setdefault("widget", forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}))
        super().__init__(error_messages=sentences, **options)

    def clean(self, data: Any, initial: Any = None) -> TextFile | None:
        upload = super().clean(data, initial)
        if not upload:
            return None
        size = upload.size or 0
        if self.most_bytes is not None and size > self.most_bytes:
            raise ValidationError(self.error_messages["large"], code="large")
        if size > settings.UPLOAD_LIMIT:
            raise ValidationError(too_large(size), code="large")
        return TextFile(upload.name or "", upload)


class TableField(TextFileField):
    """A file with a table: CSV, text or a workbook. What it holds is read with `given`."""

    takes_table = True  # shown with the questions that the table raises

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.FileInput(attrs={"accept": TABLES}), **options)

    @staticmethod
    def given(form: forms.BaseForm, name: str, *, leave_out: bool = False) -> Given | None:
        """The file in the cleaned field `name` of a form, with the answers sent; None without one."""
        file: TextFile | None = form.cleaned_data.get(name)
        return Given.uploaded(file.upload, answers_in(form, name, leave_out=leave_out)) if file else None


class PastedTableField(forms.CharField):
    """A text that may be a table, as it is pasted from a spreadsheet: an empty first cell counts."""

    takes_table = True

    def __init__(self, **options: Any) -> None:
        told = "The text holds a character that is not text. Paste it anew."
        super().__init__(strip=False, error_messages={"null_characters_not_allowed": told}, **options)

    @staticmethod
    def given(form: forms.BaseForm, name: str, *, leave_out: bool = False) -> Given:
        """The text in the cleaned field `name` of a form, with the answers that were sent."""
        return Given.typed(form.cleaned_data.get(name) or "", answers_in(form, name, leave_out=leave_out))


def answers_in(form: forms.BaseForm, name: str, *, leave_out: bool = False) -> Answers:
    """What a person said about the table in the field `name`; on a page what was chosen before counts too."""
    is_page = hasattr(form.data, "getlist")
    return Answers.of(form.data, form.add_prefix(name), leave_out=leave_out, may_remember=is_page)


def too_large(size: int) -> str:
    """Why a file of this size is not taken, in a sentence."""
    return (
        f"The file has {size / 1e6:,.0f} MB, and {settings.UPLOAD_LIMIT / 1e6:,.0f} MB is the most here. "
        "Give it in "
        "parts, or raise UPLOAD_LIMIT."
    )
