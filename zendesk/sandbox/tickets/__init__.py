"""The tickets of the demo account, and what an update does to them.

Never: HTTP.
"""
