"""A verification of the log as JSON: the same from the agent and from the command line without one."""

from typing import Any

from agent.log.verify import Report


def of_log(report: Report) -> dict[str, Any]:
    """Return a report as JSON."""
    return {
        "ok": report.ok,
        "entries": report.entries,
        "first": report.first,
        "last": report.last,
        "problems": [problem._asdict() | {"text": problem.text._asdict()} for problem in report.problems],
        "more": report.more,
    }
