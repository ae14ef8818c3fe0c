"""Accounts: who may give whom which permission, ways to sign in, second factors.

Never: a superuser made or changed by anybody else, or a permission given by a person who lacks it.
Never a second factor's secret on a page but that of its own enrolment.
"""
