"""`python -m zendesk.sandbox --port 8001`: the demo Zendesk as a process of its own."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from zendesk.sandbox import Options, Sandbox, serve


def parser() -> argparse.ArgumentParser:
    defaults = Options()
    arguments = argparse.ArgumentParser(prog="python -m zendesk.sandbox", description="A Zendesk in memory.")
    arguments.add_argument("--port", type=int, required=True, help="0 picks a free one")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--tickets", type=int, default=defaults.tickets)
    arguments.add_argument("--seed", type=int, default=defaults.seed)
    arguments.add_argument(
        "--scale", type=float, default=defaults.scale, help="factor on a bulk job's duration; 0: none"
    )
    arguments.add_argument(
        "--latency", type=float, default=defaults.latency, help="seconds added to every answer"
    )
    arguments.add_argument(
        "--runtime-scale",
        type=float,
        default=defaults.runtime_scale,
        help="factor on the recorded response times",
    )
    arguments.add_argument("--rate-limit", type=int, default=defaults.rate_limit, help="calls per minute")
    arguments.add_argument("--token-life", type=float, default=defaults.token_life, help="seconds")
    arguments.add_argument(
        "--max-jobs", type=int, default=defaults.max_jobs, help="bulk jobs queued or running"
    )
    arguments.add_argument("--allow-closed", action="store_true", help="allow changes to closed tickets")
    arguments.add_argument(
        "--ai-agent-tickets",
        type=int,
        default=defaults.ai_agent_tickets,
        help="open tickets that an AI agent holds",
    )
    arguments.add_argument(
        "--role", choices=["admin", "agent"], default=defaults.role, help="role of the connected user"
    )
    arguments.add_argument("--quiet", action="store_true", help="do not log calls")
    return arguments


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code."""
    given = parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    options = Options(
        tickets=given.tickets,
        seed=given.seed,
        scale=given.scale,
        latency=given.latency,
        runtime_scale=given.runtime_scale,
        rate_limit=given.rate_limit,
        token_life=given.token_life,
        max_jobs=given.max_jobs,
        allow_closed=given.allow_closed,
        role=given.role,
        ai_agent_tickets=given.ai_agent_tickets,
    )
    with serve(Sandbox(options), given.host, given.port, quiet=given.quiet) as server:
        sys.stdout.write(f"Demo Zendesk with {given.tickets:,} tickets at {server.url}\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
