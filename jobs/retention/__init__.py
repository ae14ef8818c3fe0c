"""Deletes old jobs, piece by piece, and says how much room that makes.

Never: a job that is active, or that another one still needs.
"""
