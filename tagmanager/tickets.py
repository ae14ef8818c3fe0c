"""The old place of `tagmanager.ticket_change`, for tools of an earlier release."""

from tagmanager.renamed import moved

__getattr__ = moved(
    __name__,
    {
        "Foreseen": "tagmanager.ticket_change.MacroPreview",
        "Seen": "tagmanager.ticket_change.TicketSnapshot",
        "SETTABLE": "tagmanager.ticket_change.SETTABLE",
        "TicketChange": "tagmanager.ticket_change.TicketChange",
        "too_long": "tagmanager.ticket_change.too_long",
    },
)
