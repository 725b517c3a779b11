"""``shoumi doctor`` and ``shoumi status``: how the agent is, and what to do about it.

Rules of this file: doctor works with and without a running agent. What only the running agent knows, it is asked; the
rest is looked at here. Exit code 1 when a gap is serious.
"""

import os
from collections.abc import Iterator
from typing import Any

from agent.api.findings import Finding
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, command, findings, level, shown, text
from agent.errors import ForbiddenError, ShoumiError, UnreachableError
from agent.presentation import backlog, seen
from rules.text import Text


def _doctor(context: CliContext, args: Args) -> int:
    from agent.doctor import offline_checks  # the guard's modules are of no use to any other command

    # Of somebody who is not root this process can do nothing that the agent can: what it lacks says nothing.
    host = offline_checks.host() if os.geteuid() == 0 else ()
    found = [*(finding.to_json() for finding in (*_paths(context), *host)), *_rest(context, args)]
    if context.terminal.json:
        for item in found:
            context.terminal.data(item)
        return int(any(item["state"] == "serious" for item in found))
    return int(findings(context, found))


def _paths(context: CliContext) -> Iterator[Finding]:
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


def _rest(context: CliContext, args: Args) -> list[dict[str, Any]]:
    try:
        answer: list[dict[str, Any]] = context.call("doctor", args)
    except UnreachableError as error:
        from agent.doctor import offline_checks

        absent = Finding("serious", "agent", error.text, error.hint)
        return [absent.to_json(), *(finding.to_json() for finding in offline_checks.files(context.home))]
    except ForbiddenError as error:
        rest = Text("the rest is told to officers: they run shoumi doctor", "其余内容由管理员运行 shoumi doctor 查看")
        told = [Finding("warning", "agent", error.text, rest).to_json()]
        if os.geteuid() == 0:
            from agent.doctor import offline_checks

            told += [finding.to_json() for finding in offline_checks.lost_roles(context.home)]
        return told
    except ShoumiError as error:
        return [Finding("serious", "agent", error.text, error.hint).to_json()]
    running = Finding("good", "agent", Text("the agent answers", "代理正常应答"))
    return [running.to_json(), *answer]


def _status(context: CliContext, args: Args) -> int:
    found = context.call("status", args)
    terminal = context.terminal
    if terminal.json:
        terminal.data(found)
        return 0
    areas, people, holds = len(found["areas"]), found["people"], found["holds"]
    word = Text("enforcing", "正在拦截") if found["enforcing"] else Text("NOT ENFORCING EVERYWHERE", "并非全部拦截")
    if found["seen"]:
        at = local(found["seen"])
        word = Text(f"{word.en}, seen {at}", f"{word.zh}，证实于 {at}")
    if found["break_glass"]:
        terminal.line(terminal.say(Text("! THE GLASS IS BROKEN: root restores offices", "! 应急状态：root 可恢复三员")))
    if found["trial"]:
        terminal.line(terminal.say(Text("! TRIAL: root's one hand does everything", "! 试用：root 一人可办理一切")))
    if waiting := found["proposals"]:
        many = f"{waiting} proposals wait" if waiting > 1 else "1 proposal waits"
        terminal.line(
            terminal.say(
                Text(
                    f"! {many} for a second officer: shoumi proposal list",
                    f"! {waiting} 项提议待第二人确认：shoumi proposal list",
                )
            )
        )
    last, verified = int(found["decider"]["next_seq"]) - 1, found["log"]["verified_to"] or 0
    terminal.line(
        terminal.say(
            Text(
                f"{word.en} · tier {found['tier']} · {areas} areas · {people} people · {holds} holds · log verified to"
                f" #{verified} of #{last}",
                f"{word.zh} · 等级 {found['tier']} · {areas} 个目录 · {people} 名人员"
                f" · {holds} 项停权 · 日志已校验至 #{verified}（共 #{last}）",
            )
        )
    )
    if under_way := backlog.sentence(found["revocations"]):
        terminal.line(f"   {terminal.say(under_way)}")
    if found["registry"] == "older":
        closed = Text(
            "everything is closed: the registry lacks acts that the log holds; see: shoumi registry show",
            "全部关闭：登记库缺少日志已记录的操作；请运行：shoumi registry show",
        )
        terminal.line(f"!  {terminal.say(closed)}")
    if found["logins"] == "not-asked":
        trial = Text("logins are not asked for: this site is a trial", "不要求登录：本站点处于试用中")
        terminal.line(f"!  {terminal.say(trial)}")
    if clock := found["clock"]:
        terminal.line(f"!  {terminal.say(text(clock))}")
    if trouble := found["log"]["verify_trouble"]:
        terminal.line(f"!  {terminal.say(text(trouble))}")
    for said in _hr(found["hr"]):
        terminal.line(f"!  {terminal.say(said)}")
    terminal.table(
        [
            Text("area", "目录"),
            Text("level", "密级"),
            Text("mode", "模式"),
            Text("tier", "等级"),
            Text("guard seen", "证实时间"),
            Text("path", "路径"),
        ],
        [
            (
                row["name"],
                terminal.say(level(row["level"])),
                row["mode"],
                row["tier"],
                terminal.say(seen.short(row["seen"], local)),
                row["path"],
            )
            for row in found["areas"]
        ],
    )
    return 0


def _hr(found: dict[str, Any]) -> Iterator[Text]:
    """Yield what is wrong with the channel from the personnel system."""
    if found["trouble"]:
        why = text(found["trouble"])
        yield Text(f"personnel system: {why.en}", f"人事系统：{why.zh}")
    if found["silent"]:
        yield Text(
            "personnel system: it was not heard for too long (shoumi doctor)",
            "人事系统：已过久未收到其令牌（shoumi doctor）",
        )
    if count := found["quarantined"]:
        yield Text(
            f"personnel system: {count} notices wait in quarantine (shoumi case quarantine)",
            f"人事系统：隔离区有 {count} 份通知待处理（shoumi case quarantine）",
        )
    for row in found["alarms"]:
        why = text(row["text"])
        yield Text(f"{row['id']} {local(row['at'])}: {why.en}", f"{row['id']} {local(row['at'])}：{why.zh}")


COMMANDS = (command("doctor", _doctor), command("status", _status))
