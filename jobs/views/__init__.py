"""HTTP: the pages of jobs, who may open them, and the answers to clicks.

Never: a decision about a job; that is an action, the engine's or the presentation's.
"""
