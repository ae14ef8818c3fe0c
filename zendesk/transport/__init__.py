"""One call over HTTP: signed, paced, retried where that does no harm, read within its time.

Never: what the call is about.
"""
