"""The demo account over HTTP: server, routes, pages for people, control.

Never: the content of an answer; endpoints decide that.
"""
