"""One call over HTTP: authenticated, paced, retried where that is safe, and bounded in time.

Never: what the call is for.
"""
