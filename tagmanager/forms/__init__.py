"""The forms that make a job: where tickets come from, the options, filling in, submitting.

Never: a tool's own fields.
"""
