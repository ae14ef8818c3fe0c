"""What a macro does, as changes of ours, and what cannot be done from here.

Never: the text of a comment in the database.
"""
