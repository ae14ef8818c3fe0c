"""Asks the connected Zendesk account: who we are, what it is, what names a tag in it.

Never: a change to a ticket.
"""
