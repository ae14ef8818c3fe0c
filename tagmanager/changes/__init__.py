"""The work of a job on tickets: reads, plans, sends, takes back, through the client.

Never: HTTP of our own, or a form.
"""
