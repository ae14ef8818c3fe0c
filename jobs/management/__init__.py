"""The package that Django looks in for the commands of jobs.

Never: code of its own.
"""
