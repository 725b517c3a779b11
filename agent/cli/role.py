"""``shoumi role``: roles of the three administrators, and the role of the caller."""

from typing import Any

from agent.cli.context import Args, CliContext, act, command
from agent.presentation.terms import ROLES, word
from rules.text import Message, Sentence, from_json

NOUN = Message("cli.noun-role")


def _list(context: CliContext, args: Args) -> int:
    answer = context.call("role.list", args)
    terminal = context.terminal
    if terminal.json:
        terminal.emit(answer)
        return 0
    terminal.table(
        [Message("common.role"), Message("cli.meaning"), Message("cli.group")],
        [(row["role"], terminal.say(from_json(row["text"])), row["group"]) for row in answer["roles"]],
    )
    if answer["bootstrap"]:
        terminal.talk(Message("cli.no-role-groups"))
    elif answer["yours"]:
        terminal.talk(Message("cli.your-role", role=word(ROLES, answer["yours"])))
    else:
        terminal.talk(Message("cli.no-role", reason=from_json(answer["because"])))
    return 0


def _set(answer: dict[str, Any]) -> Sentence:
    groups = [
        Message("common.equals", name=word(ROLES, role), value=group)
        for role, group in answer["groups"].items()
        if group is not None
    ]
    if answer["trial_ended"]:
        return Message("cli.trial-ended", groups=groups)
    return Message("cli.role-groups", groups=groups)


COMMANDS = (command("role.list", _list), act("role.set", _set))
