"""Keeps workers alive: notices dead ones, hands their jobs on, replaces clusters.

Never: work on a job.
"""
