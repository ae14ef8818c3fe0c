"""Stops a job by itself before it does harm: too many refusals, a refused kind, a first few to look at.

Never: sending, settling, or a person's click.
"""
