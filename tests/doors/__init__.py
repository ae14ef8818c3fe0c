"""The app from outside: real gunicorn, real nginx with TLS in front, raw sockets."""
