"""Workers whose own duties fail: the real settings, with faults put into named functions."""
