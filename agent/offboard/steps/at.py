"""The at step: jobs of at and batch, which are spool files owned by the person. Sources: at(1), atd(8)."""

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import places
from agent.offboard.steps.places import PersonalPlace
from rules.text import Message, Sentence

_SPOOLS = ("var/spool/cron/atjobs", "var/spool/at", "var/spool/atjobs")


def personal_places(leaver: RevocationSubject, context: RevocationContext) -> list[PersonalPlace]:
    """Return the job files of these uids."""
    return [place for spool in _SPOOLS for place in places.owned_in(context.root / spool, leaver.uids)]


def _probe(_leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    has_spool = any((context.root / spool).is_dir() for spool in _SPOOLS)
    return None if has_spool else Message("offboard.no-at")


STEP = places.moving("at", Message("common.jobs"), personal_places, _probe)
