"""How gunicorn serves the pages: `gunicorn --config python:tagmanager.gunicorn`.

Options on the command line take precedence, such as --bind and --workers. It reads no setting of the app:
gunicorn imports it once in its main process, so a reload (SIGHUP) would go on with the old settings.
"""

wsgi_app = "tagmanager.wsgi"
bind = "127.0.0.1:8000"
workers = 2
threads = 4
#: gthread, with a limit on how long a client may take to send a request.
worker_class = "tagmanager.middleware.slow_clients.Worker"
# Seconds without a sign of life after which a process is replaced; no limit for a request in its thread.
timeout = 60
# Seconds that a stopping process gives its requests; systemd's TimeoutStopSec has to be longer.
graceful_timeout = 30
# Seconds that an idle connection stays open: longer than nginx keeps one to us (60), because a request that
# meets a closing connection fails.
keepalive = 75
# Connections of one process, those that only wait included.
worker_connections = 1000
# Bytes of a request's first line, number of its headers, bytes of each; nginx takes as many (8k).
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
# gunicorn itself trusts no header about the client, its scheme or our sub-path, whatever FORWARDED_ALLOW_IPS
# says: TRUST_PROXY alone decides that (`middleware.client_address`). The first line would be enough, but
# for a Unix socket, whose other end gunicorn always trusts.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
control_socket_disable = True
