"""One function per API path: takes the account, the request and the ids in the path; returns a reply.

Never: sockets; `serving` has them.
"""
