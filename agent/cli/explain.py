"""``shoumi explain`` and ``shoumi what-if``: verdicts with their rules, clauses and the changes that reverse them.

The exit code is 0 for either verdict: the question was answered.
"""

from typing import Any

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, command
from rules.text import NOTHING, Message, from_json, series

_VERDICT = {"allow": Message("common.allow"), "deny": Message("common.deny")}


def _explain(context: CliContext, args: Args) -> int:
    answer = context.call("explain", args)
    if context.terminal.json:
        context.terminal.emit(answer)
    else:
        _say(context, answer)
    return 0


def _what_if(context: CliContext, args: Args) -> int:
    answer = context.call("what-if", args)
    if context.terminal.json:
        context.terminal.emit(answer)
        return 0
    before, after = _VERDICT[answer["before"]["verdict"]], _VERDICT[answer["verdict"]]
    context.terminal.line(context.terminal.say(Message("cli.verdict-change", before=before, after=after)))
    _say(context, answer)
    return 0


def _say(context: CliContext, answer: dict[str, Any]) -> None:
    terminal = context.terminal
    verdict, because = _VERDICT[answer["verdict"]], from_json(answer["because"])
    terminal.line(terminal.say(Message("common.labelled", label=verdict, text=because)))
    clauses = answer["clauses"] or "-"
    terminal.line(terminal.say(Message("cli.verdict-rule", rule=answer["rule"], clauses=clauses, pack=answer["pack"])))
    if answer["mode"] == "observe":
        terminal.line(terminal.say(Message("common.observe-mode-only-recorded")))
    if answer["until"]:
        until = local(answer["until"])
        terminal.line(terminal.say(Message("cli.verdict-until", until=until)))
    if answer["change"]:
        change = from_json(answer["change"])
        terminal.line(terminal.say(Message("common.would-change", change=change)))
    if answer.get("assumed"):
        _say_assumed(context, answer["assumed"])
    mark = {True: "✓", False: "✗"}
    terminal.table(
        [NOTHING, Message("common.rule"), Message("cli.rule-finding"), Message("common.clauses")],
        [
            (
                mark[bool(finding["ok"])],
                finding["rule"],
                terminal.say(from_json(finding["because"])),
                finding["clauses"],
            )
            for finding in answer["findings"]
        ],
    )


def _say_assumed(context: CliContext, assumed: dict[str, Any]) -> None:
    """Print the assumptions of a question about a door: badge, PIN, companions, people inside."""
    badge = assumed["badge"]
    assumptions = [Message("cli.assumed-badge", badge=badge) if badge else Message("cli.assumed-no-badge")]
    if assumed["with"]:
        assumptions.append(Message("cli.assumed-with", people=assumed["with"]))
    if assumed["inside"]:
        assumptions.append(Message("cli.assumed-inside", people=assumed["inside"]))
    context.terminal.line(context.terminal.say(Message("cli.assumed", assumptions=series(assumptions))))


COMMANDS = (command("explain", _explain), command("what-if", _what_if))
