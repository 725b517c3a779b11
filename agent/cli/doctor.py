"""``shoumi doctor`` and ``shoumi status``: findings on the agent with their remedies, and its state on one page.

Rules of this file: doctor works with and without a running agent. The running agent is asked for what only it knows;
the rest is checked here. The exit code is 1 when a finding is a gap.
"""

import os
from collections.abc import Iterator
from typing import Any

from agent.api.findings import Finding
from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, command, findings, level, printable
from agent.errors import ForbiddenError, ShoumiError, UnreachableError
from agent.presentation import backlog, seen
from agent.presentation.terms import MODES, TIERS, word
from rules.text import Message, Sentence, foreign, from_json, labelled


def _doctor(context: CliContext, args: Args) -> int:
    from agent.doctor import offline_checks  # no other command needs the modules of the guard

    # Without root this process lacks rights that the agent has: its findings on the host would mean nothing.
    host = offline_checks.host() if os.geteuid() == 0 else ()
    findings_json = [*(check.to_json() for check in (*_paths(context), *host)), *_agent_findings(context, args)]
    if context.terminal.json:
        for row in findings_json:
            context.terminal.emit(row)
        return int(any(row["state"] == "serious" for row in findings_json))
    return int(findings(context, findings_json))


def _paths(context: CliContext) -> Iterator[Finding]:
    home = context.home
    for name, path in (
        (Message("cli.data-directory"), home.root),
        (Message("cli.settings"), home.config),
        (Message("common.rule-pack"), home.pack),
        (Message("common.registry"), home.registry),
        (Message("common.log"), home.log),
        (Message("cli.index"), home.index),
    ):
        path_text = printable(path)
        if path.exists():
            yield Finding("good", "path", Message("common.labelled", label=name, text=path_text))
        else:
            missing = Message("cli.path-missing", label=name, path=path_text)
            yield Finding("serious", "path", missing, foreign(f"shoumi --home {printable(home.root)} init"))


def _agent_findings(context: CliContext, args: Args) -> list[dict[str, Any]]:
    try:
        answer: list[dict[str, Any]] = context.call("doctor", args)
    except UnreachableError as error:
        from agent.doctor import offline_checks

        absent = Finding("serious", "agent", error.text, error.hint)
        return [absent.to_json(), *(finding.to_json() for finding in offline_checks.files(context.home))]
    except ForbiddenError as error:
        hint = Message("cli.doctor-officers-hint")
        reported = [Finding("warning", "agent", error.text, hint).to_json()]
        if os.geteuid() == 0:
            from agent.doctor import offline_checks

            reported += [finding.to_json() for finding in offline_checks.lost_roles(context.home)]
        return reported
    except ShoumiError as error:
        return [Finding("serious", "agent", error.text, error.hint).to_json()]
    running = Finding("good", "agent", Message("cli.agent-answers"))
    return [running.to_json(), *answer]


def _status(context: CliContext, args: Args) -> int:
    answer = context.call("status", args)
    terminal = context.terminal
    if terminal.json:
        terminal.emit(answer)
        return 0
    enforcement = Message("cli.enforcing") if answer["enforcing"] else Message("cli.not-enforcing-everywhere")
    if answer["seen"]:
        enforcement = Message("cli.enforcement-seen", enforcement=enforcement, at=local(answer["seen"]))
    if answer["break_glass"]:
        terminal.line(terminal.say(Message("cli.break-glass-active")))
    if answer["trial"]:
        terminal.line(terminal.say(Message("common.trial-root-alone")))
    if count := answer["proposals"]:
        terminal.line(terminal.say(Message("cli.proposals-wait", count=count)))
    last, verified = int(answer["decider"]["next_seq"]) - 1, answer["log"]["verified_to"] or 0
    terminal.line(
        terminal.say(
            Message(
                "cli.status-line",
                enforcement=enforcement,
                tier=word(TIERS, answer["tier"]),
                areas=Message("cli.area-count", count=len(answer["areas"])),
                people=Message("cli.people-registered", count=answer["people"]),
                holds=Message("cli.hold-count", count=answer["holds"]),
                verified=verified,
                last=last,
            )
        )
    )
    if under_way := backlog.sentence(answer["revocations"]):
        terminal.line(f"   {terminal.say(under_way)}")
    if answer["registry"] == "older":
        closed = Message("cli.registry-older")
        terminal.line(f"!  {terminal.say(closed)}")
    if answer["logins"] == "not-asked":
        trial = Message("common.trial-no-logins")
        terminal.line(f"!  {terminal.say(trial)}")
    if clock := answer["clock"]:
        terminal.line(f"!  {terminal.say(from_json(clock))}")
    if trouble := answer["log"]["verify_trouble"]:
        terminal.line(f"!  {terminal.say(from_json(trouble))}")
    for problem in _hr(answer["hr"]):
        terminal.line(f"!  {terminal.say(problem)}")
    terminal.table(
        [
            Message("common.area"),
            Message("common.level"),
            Message("common.mode"),
            Message("common.tier"),
            Message("common.guard-seen"),
            Message("common.path"),
        ],
        [
            (
                row["name"],
                terminal.say(level(row["level"])),
                terminal.say(word(MODES, row["mode"])),
                terminal.say(word(TIERS, row["tier"])),
                terminal.say(seen.short(row["seen"], local)),
                row["path"],
            )
            for row in answer["areas"]
        ],
    )
    return 0


def _hr(channel: dict[str, Any]) -> Iterator[Sentence]:
    """Yield the faults of the channel from the personnel system."""
    if channel["trouble"]:
        yield Message("cli.hr-trouble", reason=from_json(channel["trouble"]))
    if channel["silent"]:
        yield Message("cli.hr-silent")
    if count := channel["quarantined"]:
        yield Message("cli.hr-quarantine", count=count)
    for row in channel["alarms"]:
        yield labelled(f"{row['id']} {local(row['at'])}", from_json(row["text"]))


COMMANDS = (
    command("doctor", _doctor, note=Message("cli.explains-guard-seen")),
    command("status", _status, note=Message("cli.explains-guard-seen")),
)
