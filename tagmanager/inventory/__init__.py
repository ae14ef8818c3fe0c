"""The tags of the account: how many tickets carry each, what uses it, which are alike.

Never: a change to a tag.
"""
