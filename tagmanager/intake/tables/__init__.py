"""Tables as people have them: from the bytes of a file, or a pasted text, to rows with line numbers.

One way for ticket numbers, rows of tags and pairs of tags, for page and command line. Never: a ticket's
change.
"""
