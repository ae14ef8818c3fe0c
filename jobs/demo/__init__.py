"""Made-up jobs, one in each state, for eyes and for tests.

Never: a job that anybody asked for.
"""
