"""HTTP: the pages of the project itself, by subject, and the answers to probes and scrapers.

Never: what a form accepts, or what a job does.
"""
