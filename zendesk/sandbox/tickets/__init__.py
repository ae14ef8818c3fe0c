"""The tickets of the demo account, and how updates change them.

Never: HTTP.
"""
