"""A departure from notice to receipt, in Chinese, at 80 by 24, with nothing but the keyboard and what the screen says.

Rules of this file: the leaver is a real process under a uid nobody has, and the agent that ends it is the real control
process. The walk reads each key it presses off the screen first.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from agent import shipped_packs
from agent.registry.store import Registry
from agent.runtime.home import Home
from agent.site.init import make
from rules.model import Clearance, Level, Mode, Scope
from tests import needs
from tests.control.site import Site, running
from tests.offboard.host import unused_uid
from tests.tui.kit import Walk, acting_as, everything_loaded, journey

SECURITY, OFFICER = 61_701, 61_800  # a group and a uid no host has
APPROVERS = {"M1": "部门部长", "M2": "行政部", "M3": "行政部部长", "M4": "分管副总", "M5": "总经理"}

pytestmark = needs.root


class Office(NamedTuple):
    site: Site
    uids: tuple[int, ...]  # accounts of the leaver


@pytest.fixture(scope="module")
def office(zone: None) -> Iterator[Office]:
    root = Path(tempfile.mkdtemp(prefix="shoumi-test-"))
    root.chmod(0o755)
    try:
        with unused_uid() as first, unused_uid() as second:
            home = _furnished(root, first, second)
            with running(home.root) as site:
                yield Office(site, (first, second))
    finally:
        shutil.rmtree(root)


def _furnished(root: Path, *uids: int) -> Home:
    home, plans = Home(root / "home"), root / "plans"
    plans.mkdir(0o700)
    (plans / "预算.txt").write_text("x", encoding="utf-8")
    make(home, shipped_packs.text("company"))
    with home.config.open("a", encoding="utf-8") as file:
        file.write(f"\n[roles]\nsystem = 61700\nsecurity = {SECURITY}\nauditor = 61702\n")
    with Registry(home.registry) as registry, registry.change(datetime.now(UTC)) as change:
        for person, name in {"E1001": "张三", **APPROVERS}.items():
            cleared = [Clearance("commercial", Level.SECRET, "", "x")]
            change.people.add(person, name=name, department="研发部", clearances=cleared)
        for uid in uids:
            change.accounts.add(uid, "E1001")
        change.areas.add(
            "plans", path=str(plans), level=Level.SECRET, domain="commercial", mode=Mode.OBSERVE,
            scope=Scope(departments=frozenset({"研发部"})), custodian="M1",
        )  # fmt: skip
        change.grants.add("E1001", "plans", reason="项目甲", approver="M5")
    return home


@pytest.mark.long
def test_a_new_administrator_takes_a_departure_from_notice_to_its_receipt(office: Office) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        await t.press("question_mark")  # stands in the last line of every screen
        await t.press("end")
        await t.sees("6", "离岗", "离岗离职办理、进度与待办步骤")
        await t.press("escape", "6")
        await t.sees("尚无离岗离职；按 `o` 办理", "o 办理离岗")
        await t.press("question_mark")
        await t.sees("o       办理离岗", "登记离岗离职申请")
        await t.press("escape", "o")
        await t.sees("人员 *  人员编号", "最后工作日，如 2026-12-31 *", "回车：提交")
        await t.type("E1001")
        await t.press("tab")
        await t.type("2099-12-31")
        await t.press("enter")
        await t.sees("E1001", "已提出", "下一步（n）：审批：部门部长", "审批  0/5")
        for number, (approver, title) in enumerate(APPROVERS.items()):
            await t.sees(f"下一步（n）：审批：{title}")
            await t.press("n")
            if number == len(APPROVERS) - 1:
                await agrees(t)
            await t.sees(f"审批：{title}", "办理人（默认操作者本人）")
            await t.type(approver)
            await t.press("enter")
            await t.sees(f"`{approver}` 以纸质文件签署，缺少文号")  # whoever is named has signed a paper
            await t.press("tab")
            await t.type(f"7-{number}")
            await t.press("enter")
            await t.sees_no("办理人（默认操作者本人）")
        await t.sees("已批准，权限已收回", "权限收回于", "✓ 拒绝一切访问  已确认")
        await t.sees("✓ 结束所有进程  已确认", "✓ 回执已签名（R）")
        assert processes(*office.uids) == []
        await t.press("R")
        await t.sees(
            "C000001 的权限收回回执", "核验通过：签名与内容一致", "已完成", "E1001", "部门部长", "PgUp/PgDn：翻页"
        )
        await t.press("pagedown")
        await t.sees("时间线", "开始拒绝", "最后一个进程结束")
        await t.press(*["down"] * 6)
        await t.sees("结束所有进程", "已终止 2 个进程；两次扫描均", "\n无残留")
        await t.press("escape")
        await t.sees_no("权限收回回执")
        await t.press("escape")
        await t.sees("已批准，权限已收回    2099-12-31")

    async def agrees(t: Walk) -> None:
        await t.sees("将收回 `E1001` 的全部权限", "结束所有进程", "若要继续，请输入 `E1001` 并按回车")
        assert len(processes(*office.uids)) == len(office.uids)
        await t.press("enter")
        await t.sees("与上面的名称不符")
        await t.type("E1001")
        await t.press("enter")

    everything_loaded()
    for uid in office.uids:
        start(uid)
    try:
        with acting_as(OFFICER, SECURITY):
            journey(office.site, walk, "zh")
    finally:
        for pid in processes(*office.uids):
            os.kill(pid, signal.SIGKILL)
    approved = office.site.entries(act="case.approve")
    assert [entry["outcome"] for entry in approved] == ["refused", "done"] * len(APPROVERS)


def start(uid: int) -> None:
    """Start a process of the leaver that has nothing to do with whoever runs the test."""
    subprocess.run(["setsid", "--fork", "sleep", "300"], user=uid, group=uid, cwd="/", check=True)
    deadline = time.monotonic() + 30
    while not processes(uid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def processes(*uids: int) -> list[int]:
    """Return the processes of *uids* that live; one that has ended waits for whoever is to notice."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            if folder.name.isdigit() and folder.stat().st_uid in uids:
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                found += [] if state == "Z" else [int(folder.name)]
    return found
