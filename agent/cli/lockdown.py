"""``shoumi lockdown``: lockdowns, in which nobody enters and everybody may leave."""

from agent.cli.context import OutputColumn, act, column, listing, moment
from agent.presentation import waits
from agent.presentation.fields import quoted
from rules.text import Message, Sentence, series

NOUN = Message("cli.noun-lockdown")


def _place(room: object) -> Sentence:
    return quoted(room) if room else Message("common.site")


def _locked(answer: dict[str, object]) -> Sentence:
    place, timing = _place(answer["room"]), waits.sentence(answer)
    return Message("cli.locked-down", place=place, lockdown=answer["lockdown"], timing=timing)


def _lifted(answer: dict[str, object]) -> Sentence:
    place, still = _place(answer["room"]), answer["still"]
    lifted = Message("cli.lockdown-lifted", place=place)
    if not still:
        return lifted
    assert isinstance(still, list)
    return series([lifted, Message("cli.still-locked-down", places=[_place(room) for room in still])])


COMMANDS = (
    act("lockdown.on", _locked),
    act("lockdown.off", _lifted),
    listing(
        "lockdown.list",
        (
            column(Message("cli.lockdown"), "id"),
            OutputColumn(Message("common.room"), lambda row: row["room"] or "*"),
            moment(Message("common.since"), "since"),
            column(Message("cli.handled-by"), "placed_by"),
            column(Message("cli.reason"), "reason"),
            moment(Message("cli.lifted-at"), "lifted_at"),
            column(Message("cli.handled-by"), "lifted_by"),
        ),
        Message("common.nothing-locked-down"),
    ),
)
