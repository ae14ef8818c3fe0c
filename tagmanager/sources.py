"""The old place of `tagmanager.intake.sources`, for tools of an earlier release."""

from tagmanager.renamed import moved

__getattr__ = moved(
    __name__,
    {
        name: f"tagmanager.intake.sources.{name}"
        for name in ("Source", "all_tickets", "any_of", "ids", "items", "search", "tag", "view")
    },
)
