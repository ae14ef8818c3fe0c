"""The pages about production, followed literally: files are checked, and commands run in a Debian."""
