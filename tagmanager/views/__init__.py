"""The pages of the project itself, by subject."""
