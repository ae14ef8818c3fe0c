"""Sentences and pictures about jobs, for pages, admin and terminal alike.

Never: HTTP, or the insides of the engine.
"""
