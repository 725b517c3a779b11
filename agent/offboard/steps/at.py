"""Jobs given to at and batch: files of the spool that belong to the person. Sources: at(1), atd(8)."""

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import places
from agent.offboard.steps.places import PersonalPlace
from rules.text import Text

_SPOOLS = ("var/spool/cron/atjobs", "var/spool/at", "var/spool/atjobs")


def where(leaver: RevocationSubject, context: RevocationContext) -> list[PersonalPlace]:
    """Return the job files of these uids."""
    return [place for spool in _SPOOLS for place in places.owned_in(context.root / spool, leaver.uids)]


def _probe(_leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    there = any((context.root / spool).is_dir() for spool in _SPOOLS)
    return None if there else Text("this host has no at", "本机没有 at")


STEP = places.moving("at", Text("at jobs", "定时任务 at"), where, _probe)
