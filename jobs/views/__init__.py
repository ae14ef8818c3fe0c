"""The pages of jobs, by subject."""
