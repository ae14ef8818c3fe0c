"""The values that Zendesk allows in a ticket's system fields."""

STATUSES = (
    "new",
    "open",
    "pending",
    "hold",
    "solved",
    "closed",
)  # in the order that search compares by, as in status<solved


STATUS_RANK = {name: rank for rank, name in enumerate(STATUSES)}


OPEN = STATUS_RANK["open"]


SOLVED = STATUS_RANK["solved"]


CLOSED = STATUS_RANK["closed"]


PRIORITIES = (None, "low", "normal", "high", "urgent")


TYPES = (None, "question", "incident", "problem", "task")


CHANNELS = ("email", "web", "api", "chat", "voice")
