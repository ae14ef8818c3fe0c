"""Which database this is, and whether its jobs may write.

Never: moving a job. `jobs.holding` does that, for people.
"""
