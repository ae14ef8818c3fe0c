"""Finding and listing tickets: search, its index, views, pages, cursors.

Never: a change to a ticket.
"""
