"""The commands that change or count tickets, check the connection, and start the demo, one module each.

Never: a rule that the web does not share.
"""
