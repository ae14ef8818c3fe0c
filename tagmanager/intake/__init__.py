"""From people's input to tickets: files, numbers, pairs, rows, sources and their sizes.

Never: what is to be done with a ticket.
"""
