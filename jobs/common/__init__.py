"""Small things that every package here uses: counting words, safe input, log fields, files, process names.

Never: anything about jobs.
"""
