"""The Django project: ties jobs to Zendesk, and holds the tools, forms, pages and commands.

Never: how a job is carried out, or how a call is made.
"""
