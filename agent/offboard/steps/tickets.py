"""What lets a later process act without asking again: sudo time stamps, Kerberos tickets in files.

Rules of this file: tickets a service has already accepted run on until their own end; only the service can cut those.
Sources: sudoers_timestamp(5), krb5.conf(5) default_ccache_name.
"""

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import places
from agent.offboard.steps.places import PersonalPlace
from rules.text import Text

_STAMPS = "run/sudo/ts"


def where(leaver: RevocationSubject, context: RevocationContext) -> list[PersonalPlace]:
    """Return the files: stamps are named by login or uid, tickets by uid."""
    root = context.root
    stamps = [PersonalPlace(root / _STAMPS, str(uid)) for uid in leaver.uids]
    stamps += [PersonalPlace(root / _STAMPS, name) for _, name in places.named(leaver)]
    tickets = places.owned_in(root / "tmp", leaver.uids, "krb5cc_")
    for uid in leaver.uids:
        tickets += places.owned_in(root / f"run/user/{uid}", [uid], "krb5cc")
    return stamps + tickets


def _probe(leaver: RevocationSubject, context: RevocationContext) -> Text | None:
    there = any(place.top.is_dir() for place in where(leaver, context))
    return None if there else Text("this host has no sudo stamps and no tickets", "本机没有 sudo 时间戳和票据")


STEP = places.moving(
    "tickets", Text("sudo time stamps and Kerberos tickets", "sudo 时间戳与 Kerberos 票据"), where, _probe
)
