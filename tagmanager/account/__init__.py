"""The connected Zendesk account: its status, its views and macros, and what refers to a tag in it.

Never: a change to a ticket.
"""
