"""How fast a job goes: how many batches are in flight, and when asking about them is worth a call.

Never: which batch comes next, or what an answer says of its items.
"""
