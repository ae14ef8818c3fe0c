"""The commands for jobs, their workers and their upkeep, one module each.

Never: a tool or a ticket.
"""
