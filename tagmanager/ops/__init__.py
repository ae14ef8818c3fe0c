"""Running the installation: checks, logs, error reports, metrics, admin site, cache, time zone.

Never: anything about tickets.
"""
