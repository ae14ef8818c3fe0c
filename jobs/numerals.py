"""Whole numbers as they come in addresses and text boxes."""

from __future__ import annotations

#: The largest number that both databases and Zendesk's ids can hold: 64 bits with a sign.
MOST = 2**63 - 1


def whole_number(text: str) -> int | None:
    """The number that plain digits write, from 0 to `MOST`; None for everything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST))):
        return None
    number = int(text)
    return number if number <= MOST else None
