"""Rooms from the command line: both languages, columns that line up, JSON that is the agent's own words."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from agent.presentation.table import width

Shoumi = Callable[..., Any]


def a_room(shoumi: Shoumi) -> None:
    for line in (
        "person add E1 --name 张三 --level state=secret --badge 4660",
        "person add E2 --name Lee --level state=secret",
        "room add 密室 --level secret --domain state --two-person yes --limit 4",
        "grant add E1 密室 --reason 项目甲",
        "grant add E2 密室 --reason 项目甲",
    ):
        assert shoumi(*line.split()).code == 0


def test_a_day_in_a_room(shoumi: Shoumi, monkeypatch: pytest.MonkeyPatch) -> None:
    a_room(shoumi)
    denied = shoumi("explain", "E1", "密室", language="zh")
    assert denied.out.startswith("拒绝：")
    assert "假定：出示门禁卡 `4660`" in denied.out
    allowed = shoumi("explain", "E1", "密室", "--with", "E2")
    assert allowed.out.startswith("ALLOW")
    assert "with E2" in allowed.out

    assert shoumi("visitor", "add", "V1", "--name", "来宾", "--room", "密室", "--host", "E1", "--purpose", "参观",
                  "--badge", "777").code == 0  # fmt: skip
    listed = shoumi("visitor", "list").out.splitlines()
    assert width(listed[0][: listed[0].index("room")]) == width(listed[1][: listed[1].index("密室")])
    assert "V1" in listed[1]
    left = shoumi("visitor", "exit", "V1", "--badge-lost")
    assert left.out == "`V1` has left; badges LOST: 777\n"

    locked = shoumi("lockdown", "on", "密室", "--reason", "漏水", language="zh")
    assert locked.out.startswith("`密室`已封控（L000001）")
    assert "人员可离开" in locked.out
    row = json.loads(shoumi("room", "list", "--json").out)
    assert (row["name"], row["level"], row["locked"], row["inside"]) == ("密室", "secret", True, 0)
    assert "封控中" in shoumi("room", "show", "密室", language="zh").out
    assert shoumi("lockdown", "off", "密室").code == 2  # a reason is asked for
    assert shoumi("lockdown", "off", "密室", "--reason", "干了").code == 0

    monkeypatch.setattr("sys.stdin", io.StringIO("471192\n918273\n"))
    assert shoumi("pin", "set", "E1").out == "`E1` has a PIN and a duress PIN now\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert shoumi("pin", "set", "E1").code == 2
    assert "471192" not in shoumi("log", "list", "--json").out

    assert shoumi("declaration", "add", "E1", "密室", "--purpose", "盘点", "--no-devices").code == 0
    assert "none" in shoumi("declaration", "list").out
    assert shoumi("badge", "lost", "E1", "4660").code == 0
    assert json.loads(shoumi("badge", "list", "E1", "--json").out)["state"] == "lost"


def test_empty_lists_talk_and_wrong_lines_say_what_is_missing(shoumi: Shoumi) -> None:
    for noun in ("room", "door", "visitor", "declaration", "pin", "occupancy", "alarm", "lockdown"):
        said = shoumi(noun, "list")
        assert (said.code, said.out) == (0, "")
        assert said.err
        assert shoumi(noun, "list", "--json") == (0, "", "")
    assert shoumi("door", "cards").code == 0
    a_room(shoumi)
    asked = shoumi("log", "list", "--room", "密室", "--during", "2026-01-01..2026-12-31", language="zh")
    assert (asked.code, asked.out) == (0, "")
    assert "日志中该时段无人在场" in asked.err
    assert "注意：" in asked.err
    limits = [json.loads(line) for line in shoumi("log", "room", "密室", "--during", "2026-01-01..2026-12-31", "--json")
              .out.splitlines()]  # fmt: skip
    assert {item["what"] for item in limits} == {"limit"}
    assert shoumi("log", "list", "--during", "2026-01-01..2026-12-31").code == 2
    assert shoumi("log", "list", "--room", "密室", "--during", "soon").code == 2
    refused = shoumi("door", "add", "d1", "--room", "密室", "--reader", "com1")
    assert refused.code == 2
    assert "osdp+tcp://" in refused.err
    assert shoumi("occupancy", "reset", "密室", "E1", "--reason", "x").code == 1
    assert shoumi("room", "remove", "密室").out == "`密室` removed; 2 grants ended\n"
