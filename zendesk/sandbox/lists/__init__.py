"""Finding and listing tickets: search and its index, views, pages, cursors.

Never: a change to a ticket.
"""
