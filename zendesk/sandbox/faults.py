"""Faults on demand: what a real Zendesk does on a bad day.

A rule says which calls it matches and on which of them it fires. Kinds, with their parameters:

- `rate_limited` (`retry_after`: seconds, any text or null, default 1; `html`: HTML body): 429, nothing done
- `server_error_before`, `server_error_after` (`status`, default 503; `retry_after`; `html`): 5xx instead of
  the work, or after it
- `reset_before`, `reset_after`: the connection is closed without an answer, before or after the work
- `hang` (`seconds`, default 3600; `after_work`, default false): the answer comes late, or too late
- `trickle` (`pause`: seconds between two bytes, default 1; `head`, default false: the headers too): the work
  is done, and the answer comes byte by byte
- `odd_records` (`ids`, default the first; `change`: members to set, `{"tags": null}` and the like; `drop`:
  names of members to leave out): records of the list or of the ticket are odd
- `odd_answer` (`body`, default `{}`): other JSON in place of the answer; the work is done
- `odd_characters`: a lone surrogate and a NUL in every tag, subject and message of the answer
- `has_more_without_cursor`, `cursor_repeats` (`early`, default false: on any page): the last page of a list
  says that there are more but not where, or leads back to itself
- `page_too_large` (`above`, default 500): 504 for a page of more records
- `truncated`: half of the JSON; `html` (`status`, default 200): a page instead of the JSON; the work is done
- `refused` (`status`, default 403; `code`, `text`; `html`): a 4xx instead of the work, such as a collision in
  the database, a suspended account or a page that blocks the caller
- `unauthorized`: 401 as for an expired token; `revoke_tokens`: every OAuth token expires now
- `too_many_jobs`: other users occupy all the account's job slots
- `job_failed`, `job_killed` (`done`: tickets updated before, default 0): the whole job fails, results null
- `job_stuck` (`seconds`: how long it stays queued, default for ever)
- `job_gone`: the job runs, but its status is 404 from the start
- `results_null`, `results_object`: the job runs; its results are null, or `{"success": true}`
- `results_missing` (`count`, default 1): the job runs; its last results are missing
- `item_error` (`ids`, default all of the job; `code`, `text`; `shape`: "new" or "old"; `index`, default the
  ticket's place): these are not updated
- `poison` (`ids`): a job that contains one of these fails as a whole; other jobs are unaffected
- `conflict` (`count`, default 1; or `ids`): the first `count` tickets of the job conflict
- `not_applied` (`ids`, default all of the job; `keys`, default all; `touched`, default false): these tickets
  are called updated, but these keys of the change are dropped; with `touched` their stamp moves all the same
- `ignored_key` (`key`, default "additional_tags"; `applied`, default false): the call's answer warns that the
  key is ignored; unless `applied` it is
- `no_verdict`, `two_verdicts`, `both_verdicts` (`ids`, default all of the job; `applied`, default true): the
  results of these tickets say neither success nor failure, come twice with either, or say both at once
- `other_ids`: the job runs; its results name tickets that were not sent
"""

from dataclasses import dataclass, field
from typing import Any

JOB_KINDS = frozenset(
    {
        "job_failed", "job_killed", "job_stuck", "job_gone", "results_null", "results_object",
        "results_missing", "item_error", "poison", "conflict", "not_applied", "ignored_key", "no_verdict",
        "two_verdicts", "both_verdicts", "other_ids",
    }
)  # fmt: skip
CALL_KINDS = frozenset(
    {
        "rate_limited", "server_error_before", "server_error_after", "reset_before", "reset_after", "hang",
        "trickle", "truncated", "html", "too_many_jobs", "revoke_tokens", "unauthorized",
        "refused", "odd_records", "odd_answer", "odd_characters", "has_more_without_cursor", "cursor_repeats",
        "page_too_large",
    }
)  # fmt: skip
KINDS = JOB_KINDS | CALL_KINDS


@dataclass(slots=True)
class FaultRule:
    """One fault, and the calls it hits.

    `match` is a method and the beginning of a path, `"PUT /api/v2/tickets/update_many"`; `"*"` stands for any
    method. The first `after` matching calls pass; then every `every`th is hit, at most `times` times.
    """

    match: str
    kind: str
    times: int | None = 1
    after: int = 0
    every: int = 1
    params: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault {self.kind!r}. Known are: {', '.join(sorted(KINDS))}.")
        method, _, path = self.match.partition(" ")
        if not method or not path.startswith("/"):
            raise ValueError(f"{self.match!r} is not a method and a path, such as 'GET /api/v2/tickets'.")
        if self.every < 1 or self.after < 0:
            raise ValueError("`every` is at least 1 and `after` at least 0.")

    def matches(self, method: str, path: str) -> bool:
        wanted_method, _, wanted_path = self.match.partition(" ")
        return wanted_method in ("*", method) and path.startswith(wanted_path.removesuffix(".json"))

    def fires(self) -> bool:
        """Count one more matching call and say whether the fault hits it."""
        self.seen += 1
        is_due = self.seen > self.after and (self.seen - self.after - 1) % self.every == 0
        if not is_due or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True

    def to_json(self) -> dict[str, Any]:
        return {
            "match": self.match,
            "kind": self.kind,
            "times": self.times,
            "after": self.after,
            "every": self.every,
            "seen": self.seen,
            "fired": self.fired,
            **self.params,
        }


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []

    def add(
        self, match: str, kind: str, *, times: int | None = 1, after: int = 0, every: int = 1, **params: Any
    ) -> FaultRule:
        """Add a rule, which counts the calls it saw and hit. Raises ValueError if the rule is invalid."""
        rule = FaultRule(match, kind, times=times, after=after, every=every, params=params)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def for_call(self, method: str, path: str) -> list[FaultRule]:
        """The faults that hit this call, other than faults of jobs."""
        return [
            rule
            for rule in self.rules
            if rule.kind in CALL_KINDS and rule.matches(method, path) and rule.fires()
        ]

    def for_job(self, method: str, path: str, ids: list[int]) -> list[FaultRule]:
        """The faults that hit the job this call is about to queue."""
        return [
            rule
            for rule in self.rules
            if rule.kind in JOB_KINDS
            and rule.matches(method, path)
            and (rule.kind != "poison" or not set(ids).isdisjoint(rule.params.get("ids", ())))
            and rule.fires()
        ]
