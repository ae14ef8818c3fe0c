"""What templates ask about a job: its badge, its dates, its actions.

Never: a decision about a job.
"""
