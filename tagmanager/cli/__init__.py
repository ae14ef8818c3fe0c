"""The commands that run jobs on tickets, and the demo.

Never: a rule that the web does not share.
"""
