"""The tickets step: sudo time stamps and Kerberos tickets in files, which let a later process act without a new login.

Rules of this file: tickets that a service has accepted stay valid until they expire; only the service can end those.
Sources: sudoers_timestamp(5), krb5.conf(5) default_ccache_name.
"""

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import places
from agent.offboard.steps.places import PersonalPlace
from rules.text import Message, Sentence

_STAMPS = "run/sudo/ts"


def personal_places(leaver: RevocationSubject, context: RevocationContext) -> list[PersonalPlace]:
    """Return the files: stamps are named by login or uid, tickets by uid."""
    root = context.root
    stamps = [PersonalPlace(root / _STAMPS, str(uid)) for uid in leaver.uids]
    stamps += [PersonalPlace(root / _STAMPS, name) for _, name in places.named(leaver)]
    tickets = places.owned_in(root / "tmp", leaver.uids, "krb5cc_")
    for uid in leaver.uids:
        tickets += places.owned_in(root / f"run/user/{uid}", [uid], "krb5cc")
    return stamps + tickets


def _probe(leaver: RevocationSubject, context: RevocationContext) -> Sentence | None:
    has_place = any(place.top.is_dir() for place in personal_places(leaver, context))
    return None if has_place else Message("offboard.no-sudo-stamps-or-tickets")


STEP = places.moving("tickets", Message("common.sudo-time-stamps-kerberos-tickets"), personal_places, _probe)
