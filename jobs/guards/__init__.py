"""What stops a job before it does harm (refusals, a refused probe, its canary), or warns of overlapping jobs.

Never: sending, settling, or a person's click.
"""
