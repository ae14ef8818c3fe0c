"""Mutation tests: the code is broken on purpose, one small change at a time, and some test has to fail.

Run with `make mutants`. A mutant that survives is a line that no test holds; see docs/mutants.md.
"""
