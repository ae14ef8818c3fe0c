"""System checks: what is missing or contradicts itself, said before anything runs."""
