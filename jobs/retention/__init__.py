"""Deletes old jobs, piece by piece, and estimates the space that this frees.

Never: a job that is active, or that another one still needs.
"""
