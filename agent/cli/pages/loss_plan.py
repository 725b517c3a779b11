"""``--plan``: people who would lose access by an act, and the processes that would end; nothing is changed.

Rules of this file: the agent rehearses the act. People who share a process that would end are named.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent.cli.context import CliContext
from agent.cli.pages.receipt import plan_lines
from agent.presentation.fields import quoted
from rules.text import Message, Sentence, from_json


def show(context: CliContext, op: str, arguments: Mapping[str, Any]) -> int:
    """Print what *op* with *arguments* would take."""
    answer: dict[str, Any] = context.client.call("act.plan", act=op, given=json.dumps(arguments))
    if context.terminal.json:
        context.terminal.emit(answer)
        return 0
    for line in _lines(answer):
        context.terminal.line(context.terminal.say(line))
    return 0


def _lines(answer: Mapping[str, Any]) -> Iterator[Sentence]:
    if answer["unknown"]:
        reason = from_json(answer["unknown"])
        yield Message("common.losses-unknown", reason=reason)
    elif not (answer["lost"] or answer["services"]):
        yield Message("cli.no-losses", compared=answer["compared"])
    for service, areas in answer["services"].items():
        yield Message("cli.service-loses", service=service, places=[quoted(area) for area in areas])
    plans = {plan["person"]: plan for plan in answer["plans"]}
    for loss in answer["lost"]:
        person, places = loss["person"], [quoted(place) for place in (*loss["areas"], *loss["rooms"])]
        if uids := loss["uids"]:
            yield Message("cli.person-loses-as", person=person, places=places, uids=uids)
        else:
            yield Message("cli.person-loses", person=person, places=places)
        if plan := plans.get(loss["person"]):
            for line in plan_lines(plan):
                yield Message("common.indented", text=line)
    if more := answer["left_out"]:
        yield Message("common.rights-not-compared", count=more)
