"""What a request passes before it reaches a view, and its answer after it.

Never: a decision about what a person may do.
"""
