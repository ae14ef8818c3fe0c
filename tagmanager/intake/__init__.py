"""From people's input to tickets: files, numbers, pairs, rows, sources and their sizes.

Never: the change of a ticket.
"""
