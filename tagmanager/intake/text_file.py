"""A text file that somebody uploads, as lines."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

NOT_UTF_8 = "The file is not a text file in UTF-8. Save it as CSV UTF-8, and choose it again."


@dataclass(frozen=True, slots=True)
class TextFile:
    """What a valid `TextFileField` holds."""

    name: str
    upload: UploadedFile[Any]

    def lines(self) -> Iterator[str]:
        """The lines with their line breaks, read once as a stream; raises `ValidationError` where no text is.

        Read it inside the form's cleaning, so that the sentence stands at the field.
        """
        text = io.TextIOWrapper(self.upload, encoding="utf-8-sig", newline="")
        try:
            for line in text:  # noqa: UP028 - `yield from` would close the upload when the reader stops early
                yield line
        except UnicodeDecodeError as exc:
            raise ValidationError(NOT_UTF_8, code="encoding") from exc
        finally:
            # The upload stays open for those who come after. A reader that an exception kept alive is
            # collected late, when the upload may be closed already.
            with suppress(ValueError):
                text.detach()


class TextFileField(forms.FileField):
    """Cleaned to a `TextFile`, or to None where no file was chosen.

    `holds` says what is to be in the file: "Give CSV with the columns old and new." Of a file of more than
    `most_bytes` it says `too_large`.
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
        widget = forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"})
        super().__init__(error_messages=sentences, widget=widget, **options)

    def clean(self, data: Any, initial: Any = None) -> TextFile | None:
        upload = super().clean(data, initial)
        if not upload:
            return None
        if self.most_bytes is not None and (upload.size or 0) > self.most_bytes:
            raise ValidationError(self.error_messages["large"], code="large")
        return TextFile(upload.name or "", upload)
