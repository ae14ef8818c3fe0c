"""Running the installation: checks, logs, error reports, metrics, admin site, cache, keys.

Never: anything about tickets.
"""
