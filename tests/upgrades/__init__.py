"""Data of earlier releases, and what this program makes of it."""
