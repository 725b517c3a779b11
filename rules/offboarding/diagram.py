"""离岗: the state machine as a picture and as a table of words, drawn from its table.

Rules of this file: nothing is drawn that is not in the table. The text is Mermaid's ``stateDiagram-v2``; duties that
may be done in any order stand side by side inside the step in which they are done.
"""

from collections.abc import Sequence

from rules.offboarding.machine import TABLE, CaseMove
from rules.offboarding.vocabulary import CaseDuty, CaseStep
from rules.text import Language


def diagram(table: Sequence[CaseMove] = TABLE, language: Language = "en") -> str:
    """Return *table* as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{step.text.say(language)}" as {step}' for step in CaseStep if step is not CaseStep.APPROVED]
    lines += _duties(language)
    lines += [line for move in table for line in _arrows(move, language)]
    lines += [f"    {step} --> [*]" for step in (CaseStep.CLOSED, CaseStep.RESCINDED, CaseStep.WITHDRAWN)]
    return "\n".join(lines) + "\n"


def _duties(language: Language) -> list[str]:
    inside: list[str] = []
    for duty in CaseDuty:
        name = duty.replace("-", "_")
        inside += [f'        state "{duty.text.say(language)}" as {name}', f"        [*] --> {name}", "        --"]
    title = f'    state "{CaseStep.APPROVED.text.say(language)}" as approved {{'
    return [title, *inside[:-1], "    }"]


def _arrows(move: CaseMove, language: Language) -> list[str]:
    if move.to is None:
        return []
    label = f"{move.event}: {move.when.say(language)}"
    return [f"    {start} --> {move.to}: {label}" for start in move.at or ("[*]",)]
