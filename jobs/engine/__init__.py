"""Carries a job from its claim to its end: reads the list, sends batches, settles them.

Never: HTTP, words for pages, or what the items stand for.
"""
