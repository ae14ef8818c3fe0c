"""Accounts: who may give whom which permission, ways to sign in, second factors.

Never: anybody without superuser rights who makes or changes a superuser, or gives a permission that they lack.
Never a second factor's secret on a page but that of its own enrolment.
"""
