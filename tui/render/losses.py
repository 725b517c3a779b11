"""The plan of an act that takes rights: who loses what, and what ends; see :mod:`tui.render.plan`.

Rules of this file: pure. The plan is shown when something would end, or when a person other than the subject of the
act loses something; an act that only takes a right from its subject was stated in the form already. It is also shown
when the losses could not be determined.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rules.text import Message, Sentence, from_json
from rules.visible import visible
from tui.render.plan import PlanLine, PlanPage, joined, of_agent

_NAMED = 20  # people listed by name


def of_act(
    preview: Mapping[str, Any], title: Sentence, *, single_person: bool = False, name: str = "", always: bool = False
) -> PlanPage | None:
    """Return the plan of ``act.plan`` to agree to; ``None`` when it needs no agreement, except with *always*.

    *single_person*: the act names a person, or something that one person has. The user types the one person who loses
    something; if several do, the *name* of what the act changes, and without a name their number.
    """
    lost, plans = preview["lost"], preview["plans"]
    ends = [step for plan in plans for step in plan["steps"] if step["targets"] and step["lasting"]]
    if not (preview["unknown"] or ends or len(lost) > single_person or always):
        return None
    by_person = {plan["person"]: plan for plan in plans}
    lines: list[PlanLine] = []
    for loss in lost[:_NAMED]:
        places = [*loss["areas"], *loss["rooms"]]
        lines.append(PlanLine(Message("tui.person-loses", person=loss["person"], places=places)))
        if plan := by_person.get(loss["person"]):
            lines += [line for line in of_agent(plan, title).lines if line.note]
    if (more := len(lost) - _NAMED) > 0:
        lines.append(PlanLine(Message("common.more-people", count=more)))
    if not (lost or preview["unknown"]):
        lines.append(PlanLine(Message("tui.no-one-loses-rights")))
    if len(lost) == 1:
        return PlanPage(title, lines, name=visible(lost[0]["person"]), warning=_warning(preview))
    typed = None if name else Message("tui.number-of-people-losing-rights")
    return PlanPage(title, lines, name=name or str(len(lost)), warning=_warning(preview), typed=typed)


def with_losses(plan: PlanPage, preview: Mapping[str, Any]) -> PlanPage:
    """Return *plan* with the losses of ``act.plan`` below it."""
    losses = of_act(preview, plan.title)
    if losses is None:
        return plan
    warnings = [text for text in (plan.warning, losses.warning) if text]
    return replace(plan, lines=[*plan.lines, *losses.lines], warning=joined(warnings))


def _warning(preview: Mapping[str, Any]) -> Sentence | None:
    if preview["unknown"]:
        return Message("common.losses-unknown", reason=from_json(preview["unknown"]))
    if more := preview["left_out"]:
        return Message("common.rights-not-compared", count=more)
    return None
