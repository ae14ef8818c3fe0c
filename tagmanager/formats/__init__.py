"""The package that Django looks in for how dates and numbers are written, by language.

Never: code of its own.
"""
