"""What stops a job by itself before it does harm: too many refusals, a refused kind, or its canary.

Never: sending, settling, or a person's click.
"""
