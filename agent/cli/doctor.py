"""``shoumi doctor`` and ``shoumi status``: how the agent is, and what to do about it.

Rules of this file: doctor works with and without a running agent. What only the running agent knows, it is asked; the
rest is looked at here. Exit code 1 when a gap is serious.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from agent import config
from agent.cli.context import Args, Context, command, findings, level, shown
from agent.control import checks
from agent.control.findings import Finding
from agent.control.groups import gid_of
from agent.errors import Fatal, ShoumiError, Unreachable
from agent.guard.abilities import abilities
from agent.guard.gather import gather
from agent.guard.probe import probe, tier_of
from agent.guard.volumes import plan_area
from agent.log.verify import verify
from agent.registry.facts import FactsReader
from agent.registry.lists import Lists
from rules.pack import PackError, load
from rules.text import Text


def _doctor(context: Context, args: Args) -> int:
    found = [*(finding.wire() for finding in (*_paths(context), *_host())), *_rest(context, args)]
    if context.terminal.json:
        for item in found:
            context.terminal.data(item)
        return int(any(item["state"] == "serious" for item in found))
    return int(findings(context, found))


def _paths(context: Context) -> Iterator[Finding]:
    home = context.home
    for what, path in (
        (Text("home", "数据目录"), home.root),
        (Text("settings", "设置"), home.config),
        (Text("rule pack", "规则包"), home.pack),
        (Text("registry", "登记库"), home.registry),
        (Text("log", "日志"), home.log),
        (Text("index", "索引"), home.index),
    ):
        said = shown(path)
        if path.exists():
            yield Finding("good", "path", Text(f"{what.en}: {said}", f"{what.zh}：{said}"))
        else:
            gone = Text(f"{what.en}: {said} does not exist", f"{what.zh}：{said} 不存在")
            start = f"shoumi --home {shown(home.root)} init"
            yield Finding("serious", "path", gone, Text(start, start))


def _host() -> Iterator[Finding]:
    for ability in abilities():
        state: Any = "good" if ability.ok else "serious" if ability.needed else "warning"
        yield Finding(state, ability.name, ability.detail, ability.remedy)


def _rest(context: Context, args: Args) -> list[dict[str, Any]]:
    try:
        answer: list[dict[str, Any]] = context.call("doctor", args)
    except Unreachable as error:
        absent = Finding("serious", "agent", error.text, error.hint)
        return [absent.wire(), *(finding.wire() for finding in _alone(context))]
    except ShoumiError as error:
        return [Finding("serious", "agent", error.text, error.hint).wire()]
    running = Finding("good", "agent", Text("the agent answers", "代理正常应答"))
    return [running.wire(), *answer]


def _alone(context: Context) -> Iterator[Finding]:
    """Look at the files of an agent that does not run."""
    home = context.home
    if not home.config.exists():
        return
    try:
        settings = config.load(home.config)
        yield from checks.roles(settings, gid_of)
    except ShoumiError as error:
        yield Finding("serious", "settings", error.text, error.hint)
    try:
        pack = load(home.pack.read_text(encoding="utf-8"))
        yield Finding("good", "pack", Text(f"the pack is {pack.id}", f"规则包为 {pack.id}"))
        yield from _registry(context)
        yield from checks.zone(pack, datetime.now(UTC))
        with Lists(home.registry) as lists:
            yield from checks.observing(lists.areas())
            yield from checks.expiring(lists, pack, datetime.now(UTC))
    except (OSError, UnicodeDecodeError, PackError) as error:
        said = shown(error)
        check = f"shoumi --home {shown(home.root)} pack check"
        yield Finding(
            "serious", "pack", Text(f"the pack cannot be read: {said}", f"无法读取规则包：{said}"), Text(check, check)
        )
    except (ShoumiError, Fatal) as error:
        yield Finding("serious", "registry", error.text, getattr(error, "hint", None))
    yield from checks.log_room(home)
    yield from _log(context)


def _registry(context: Context) -> Iterator[Finding]:
    with FactsReader(context.home.registry) as facts:
        epoch, rows = facts.epoch(), facts.areas()
    yield Finding("good", "registry", Text(f"the registry is whole, epoch {epoch}", f"登记库完好，版本 {epoch}"))
    others = [(row.resource.id, row.path) for row in rows]
    for row in rows:
        name = shown(row.resource.id)
        try:
            mine = [other for other in others if other[1] != row.path]
            plan = plan_area(gather(row.path, context.home.root, mine), accept_links=True)
        except ShoumiError as error:
            text = Text(
                f"area `{name}` cannot be protected: {error.text.en}", f"目录 `{name}` 无法保护：{error.text.zh}"
            )
            yield Finding("serious", "area", text, error.hint)
            continue
        tier = tier_of(probe(plan.path), plan.sharing)
        state: Any = "good" if tier != "none" else "serious"
        text = Text(
            f"area `{name}` would reach tier {tier}; nothing protects it now",
            f"目录 `{name}` 可达 {tier} 级；目前未受保护",
        )
        yield Finding(state, "area", text)


def _log(context: Context) -> Iterator[Finding]:
    if not os.access(context.home.log, os.R_OK | os.X_OK):
        return
    report = verify(context.home.log)
    if report.ok:
        yield Finding(
            "good", "log", Text(f"the log is whole: {report.entries} entries", f"日志完好：共 {report.entries} 条")
        )
    else:
        count = len(report.problems) + report.more
        start = f"shoumi --home {shown(context.home.root)} log verify"
        yield Finding(
            "serious", "log", Text(f"the log has {count} problems", f"日志有 {count} 处问题"), Text(start, start)
        )


def _status(context: Context, args: Args) -> int:
    found = context.call("status", args)
    terminal = context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    areas, people, holds = len(found["areas"]), found["people"], found["holds"]
    word = Text("enforcing", "正在拦截") if found["enforcing"] else Text("NOT ENFORCING EVERYWHERE", "并非全部拦截")
    last = int(found["decider"]["next_seq"]) - 1
    terminal.line(
        terminal.say(
            Text(
                f"{word.en} · tier {found['tier']} · {areas} areas · {people} people · {holds} holds · log to #{last}",
                f"{word.zh} · 等级 {found['tier']} · {areas} 个目录 · {people} 名人员"
                f" · {holds} 项停权 · 日志至 #{last}",
            )
        )
    )
    terminal.table(
        [Text("area", "目录"), Text("level", "密级"), Text("mode", "模式"), Text("tier", "等级"), Text("path", "路径")],
        [
            (row["name"], terminal.say(level(row["level"])), row["mode"], row["tier"], row["path"])
            for row in found["areas"]
        ],
    )
    return 0


COMMANDS = (command("doctor", _doctor), command("status", _status))
