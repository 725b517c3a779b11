"""The page of a receipt says in words what its JSON says in codes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.offboard.receipt.page import page
from agent.offboard.receipt.receipt import StepRecord, build
from agent.offboard.receipt.timeline import ClockName, DoorMark, Origin, Source
from rules.text import Language, Text
from tests.offboard import proof_kit as kit

PENDING = StepRecord("cron", Text("timed jobs", "定时任务"), "pending", Text("busy", "占用"), {})


def said(language: Language, **more: Any) -> str:
    return page(json.loads(build(kit.ending(**more), "key", kit.ISSUED)), language)


def test_what_is_open_stands_on_top_by_its_title() -> None:
    marks = replace(kit.ending().marks, denied=None, last_read=None)
    more = {
        "steps": (*kit.ending().steps, PENDING),
        "doors": (DoorMark("B2", "pending"),),
        "marks": marks,
        "proof": None,
    }
    chinese, english = said("zh", **more), said("en", **more)
    for line in ("  * 步骤：定时任务", "  * 门：B2", "  * 时刻未知：开始拒绝访问", "  * 无残留证明"):
        assert line in chinese.splitlines()
    for line in ("  * step: timed jobs", "  * door: B2", "  * time unknown: access denied from here on"):
        assert line in english.splitlines()


def test_an_approver_is_called_by_the_title_of_the_pack_a_role_or_what_hr_sent() -> None:
    at = "2026-03-01T09:00:00.000000Z"
    title = {"en": "head of the department", "zh": "部门部长"}
    given = (
        kit.signatory("head", "M1", at, title=title),
        kit.signatory("officer", "M2", at),
        kit.signatory("hr\x1b", "M3", at),
        kit.signatory("confirmation", "M4", None),
    )
    lines = said("zh", approvers=given).splitlines()
    for role, by in (("部门部长", "M1"), ("安全保密管理员", "M2"), ("hr\\x1b", "M3"), ("复核人（确认）", "M4")):
        assert [line for line in lines if line.split()[:2] == [role, by]]


def test_who_signed_stands_beside_who_wrote_it_down() -> None:
    at = "2026-03-01T09:00:00.000000Z"
    given = (kit.signatory("head", "M1", at, opinion="agreed", key="hr#M1", clock="personnel"),)
    [line] = [line for line in said("en", approvers=given).splitlines() if "M1" in line]
    assert line.split() == [
        "head", "M1", at, "(clock", "of", "the", "personnel", "system)", "agreed", "hr#M1", "hr",
        "2026-03-02T12:00:00.003000Z",
    ]  # fmt: skip


def test_no_door_is_said_as_what_it_is() -> None:
    detail = Text("account and jobs stay", "账号与任务保留")
    for state, words in (
        ("not-part", "not part of this revocation"),
        ("skipped", "not present"),
        ("pending", "pending"),
    ):
        step = StepRecord("doors", Text("doors", "门"), state, detail, {})
        lines = said("en", doors=(), steps=(step,)).splitlines()
        assert lines[lines.index("Doors") + 1] == f"{words}: account and jobs stay"
        assert "no doors are connected" not in "\n".join(lines)


def test_where_a_mark_was_taken_is_beside_it() -> None:
    bounds = Origin(Source.SPOOL, not_before=kit.after(-20), not_after=kit.after(2), compared="file-system")
    marks = replace(kit.ending().marks, origins={"received": bounds, "last-read": Origin(Source.LOG, seq=41)})
    text = said("en", marks=marks)
    [line] = [line for line in text.splitlines() if "arrival of the file in the spool" in line]
    assert "between 2026-03-02T11:59:59.980000Z and 2026-03-02T12:00:00.002000Z" in line
    assert "taken from the file system clock" in line
    assert "log entry; log entry 41" in text


def test_what_an_act_took_is_named_with_its_entry() -> None:
    lines = said("en", cause="loss", lost=("plans", "\x1b"), act="grant.end", seq=7).splitlines()
    assert "Access lost to areas: plans, \\x1b" in lines
    assert "By act: grant.end, log entry 7" in lines


def test_a_receipt_of_version_1_is_shown(version_1: Path) -> None:
    body = json.loads((version_1 / "open.receipt").read_bytes().split(b"\n")[0])
    text = page(body, "en")
    assert "NOT COMPLETE: 2 open" in text
    assert "E0007" in text
    assert "no Samba here" in text


def test_the_timeline_says_whose_clock_it_is_by_and_which_row_is_of_another() -> None:
    origins = {"approved": Origin(Source.PERSONNEL, ClockName.PERSONNEL)}
    lines = said("en", marks=replace(kit.ending().marks, origins=origins)).splitlines()
    assert "Timeline (UTC; the agent's clock unless noted)" in lines
    [row] = [line for line in lines if line.split()[:1] == ["approved"]]
    assert "clock of the personnel system" in row


def test_who_brought_a_leave_date_forward_is_called_so() -> None:
    given = (kit.signatory("advance", "E9", "2026-03-01T09:00:00.000000Z"),)
    assert "brought the leave date forward" in said("en", approvers=given)
    assert "提前离岗离职时间" in said("zh", approvers=given)
