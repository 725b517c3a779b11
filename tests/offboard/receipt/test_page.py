"""The page of a receipt says in words what its JSON says in codes."""

import json
from dataclasses import replace
from typing import Any

from agent.offboard.receipt.page import page
from agent.offboard.receipt.receipt import StepRecord, build
from agent.offboard.receipt.timeline import DoorMark
from rules.text import Language, Text
from tests.offboard import proof_kit as kit

PENDING = StepRecord("cron", Text("timed jobs", "定时任务"), "pending", Text("busy", "占用"), {})


def said(language: Language, **more: Any) -> str:
    return page(json.loads(build(kit.ending(**more), "key", kit.NOON)), language)


def test_what_is_open_stands_on_top_by_its_title() -> None:
    marks = replace(kit.ending().marks, denied=None, last_read=None)
    more = {
        "steps": (*kit.ending().steps, PENDING),
        "doors": (DoorMark("B2", "pending"),),
        "marks": marks,
        "proof": None,
    }
    chinese, english = said("zh", **more), said("en", **more)
    for line in ("  * 步骤：定时任务", "  * 门：B2", "  * 时刻未知：开始拒绝", "  * 无残留证明"):
        assert line in chinese.splitlines()
    for line in ("  * step: timed jobs", "  * door: B2", "  * no instant is known: denied from here on"):
        assert line in english.splitlines()


def test_an_approver_is_called_by_the_title_of_the_pack_a_role_or_what_hr_sent() -> None:
    at = "2026-03-01T09:00:00+00:00"
    title = {"en": "head of the department", "zh": "部门部长"}
    given = (
        {"role": "head", "title": title, "by": "M1", "at": at}, {"role": "officer", "by": "M2", "at": at},
        {"role": "hr\x1b", "by": "M3", "at": at}, {"role": "x", "title": "odd", "by": "M4", "at": at},
    )  # fmt: skip
    lines = said("zh", approvers=given).splitlines()
    for role, by in (("部门部长", "M1"), ("安全保密管理员", "M2"), ("hr\\x1b", "M3"), ("x", "M4")):
        assert [line for line in lines if line.split()[:2] == [role, by]]
