"""Any work over many items through a remote bulk endpoint: carried out, accounted for, shown.

Never: what an item is, or whose endpoint it is.
"""
