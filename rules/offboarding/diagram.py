"""The state machine of offboarding as a Mermaid diagram, drawn from its table.

Rules of this file: nothing is drawn that is not in the table. The text is Mermaid's ``stateDiagram-v2``; duties that
may be done in any order stand side by side inside the step in which they are done.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from rules.offboarding.machine import TABLE, CaseMove
from rules.offboarding.vocabulary import CaseDuty, CaseStep
from rules.text import Sentence

Say: TypeAlias = Callable[[Sentence], str]


def diagram(say: Say, table: Sequence[CaseMove] = TABLE) -> str:
    """Return *table* as a Mermaid state diagram. *say* renders a sentence in the language of the picture."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{say(step.text)}" as {step}' for step in CaseStep if step is not CaseStep.APPROVED]
    lines += _duties(say)
    lines += [line for move in table for line in _arrows(move, say)]
    lines += [f"    {step} --> [*]" for step in (CaseStep.CLOSED, CaseStep.RESCINDED, CaseStep.WITHDRAWN)]
    return "\n".join(lines) + "\n"


def _duties(say: Say) -> list[str]:
    inside: list[str] = []
    for duty in CaseDuty:
        name = duty.replace("-", "_")
        inside += [
            f'        state "{say(duty.text)}" as {name}',
            f"        [*] --> {name}",
            "        --",
        ]
    title = f'    state "{say(CaseStep.APPROVED.text)}" as approved {{'
    return [title, *inside[:-1], "    }"]


def _arrows(move: CaseMove, say: Say) -> list[str]:
    if move.to is None:
        return []
    label = f"{move.event}: {say(move.when)}"
    return [f"    {start} --> {move.to}: {label}" for start in move.at or ("[*]",)]
