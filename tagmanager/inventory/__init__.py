"""The tags of the account: how many tickets have each, what refers to it, which are similar.

Never: a change to a tag.
"""
