"""The demo account over HTTP: server, routes, pages for people, control.

Never: what an address answers; that is an endpoint.
"""
