"""The one time that the processes of all hosts share: the database's.

Never: read or write a row.
"""
