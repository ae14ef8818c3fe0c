"""The package that Django looks in for the commands of the project.

Never: code of its own.
"""
