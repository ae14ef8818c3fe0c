"""The pages about production, followed literally: their files are checked, and their commands run in a Debian."""
