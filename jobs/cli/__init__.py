"""Jobs in a terminal: running one to its end, its progress, its tally, its exit code.

Never: HTML, or a rule that the web does not share.
"""
