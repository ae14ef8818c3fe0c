"""Data from earlier releases, and tests that upgrade it."""
