"""The form fields for tools, those of one's own too."""

from tagmanager.intake.fields import OneTagField, TagsField, WholeNumberField
from tagmanager.intake.text_file import PastedTableField, TableField, TextFile, TextFileField

__all__ = [
    "OneTagField",
    "PastedTableField",
    "TableField",
    "TagsField",
    "TextFile",
    "TextFileField",
    "WholeNumberField",
]
