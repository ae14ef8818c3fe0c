"""The old place of `tagmanager.tools.fields`, for tools of an earlier release."""

from tagmanager.renamed import moved

__getattr__ = moved(
    __name__,
    {name: f"tagmanager.tools.fields.{name}" for name in ("OneTagField", "TagsField", "WholeNumberField")},
)
