"""``log list``: what the agent tried itself is not in it, and how much that is is said."""

import json

from tests.cli.said import Shoumi
from tests.control.site import Site


def test_own_attempts_are_hidden_counted_and_shown_when_asked_for(site: Site, shoumi: Shoumi) -> None:
    site.tell_peer("tried E1")
    listed = shoumi("log", "list")
    assert "hold" not in listed.out
    assert "1 attempt of the agent itself is not shown: add --own" in listed.err
    assert "守护服务自身的 1 次探针尝试未列出：加 --own 可查看" in shoumi("log", "list", language="zh").err
    shown = shoumi("log", "list", "--own", "--kind", "access")
    assert "hold" in shown.out
    assert shown.err == ""
    rows = [json.loads(line) for line in shoumi("log", "list", "--json").out.splitlines()]
    assert rows
    assert all("seq" in row and "own" not in row for row in rows)
    [row] = [json.loads(line) for line in shoumi("log", "list", "--own", "yes", "--json").out.splitlines()]
    assert row["own"] == "departure"
