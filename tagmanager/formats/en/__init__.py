"""English dates and numbers.

Never: words of a page.
"""
