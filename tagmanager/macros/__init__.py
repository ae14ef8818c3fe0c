"""What a macro does, translated into changes, and what cannot be translated.

Never: the text of a comment in the database.
"""
