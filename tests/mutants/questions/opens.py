"""What passes the judge of events: each set of areas, used by each set of people, in a server and outside."""

import functools
import json
import os
import tempfile
from collections.abc import Collection, Iterator
from itertools import permutations, product
from pathlib import Path

from agent.guard.verdicts import Answer, principals_of
from tests.guard.judging import AREAS, CLEARED, SMBD, STRANGER, UNCLEARED, Judging, thing, thread
from tests.mutants.asking import Question

_SEVERAL = [areas for size in (1, 2, 3) for areas in permutations(AREAS, size)]
_PEOPLE = (CLEARED, UNCLEARED, STRANGER)
_BY = [some for size in (0, 1, 2, 3) for some in permutations(_PEOPLE, size)]


def questions() -> Iterator[Question]:
    """Yield the questions."""
    for areas, uid, login in product(_SEVERAL, (0, *_PEOPLE), (None, 0, *_PEOPLE)):
        yield opened, (areas, uid, login)
    for areas, by, uid, server in product(_SEVERAL, _BY, (0, *_PEOPLE), (False, True)):
        yield used, (areas, by, uid, server)
    for uid, login, executable in product((0, *_PEOPLE), (None, 0, *_PEOPLE), (b"", b"/usr/bin/backup")):
        yield behind, (uid, login, executable)


@functools.cache
def _site(_process: int) -> Judging:
    """Return a site of this process: nothing that is open is shared with whoever it was forked from."""
    return Judging(Path(tempfile.mkdtemp(prefix="mutant-site-")))


def _judging() -> Judging:
    site = _site(os.getpid())
    site.verdicts.forget()
    site.judge.recorded.clear()
    site.openers.forget(SMBD)
    site.openers.dropped.clear()
    site.silence.grant(())
    return site


def opened(areas: tuple[str, ...], uid: int, login: int | None) -> Collection[str]:
    """Whether an open passes, and how."""
    site = _judging()
    return _said(site.opens(thread(uid, 100, login=login), thing(*areas)))


def used(areas: tuple[str, ...], by: tuple[int, ...], uid: int, server: bool) -> Collection[str]:
    """Whether a use passes, and how."""
    site, what = _judging(), thing(*areas)
    site.opened(by, what)
    return _said(site.uses(thread(uid, 5_000, server=server), what))


def behind(uid: int, login: int | None, executable: bytes) -> Collection[str]:
    """Who is found behind a thread, and that nobody is missing."""
    found = principals_of(_judging().source.reader, uid, login, executable, None, let_in=False)
    return [*(f"is {one}" for one in found.persons), *(["nobody is missing"] if not found.nobody else [])]


def _said(answer: Answer) -> Collection[str]:
    passed, text, silent, owed = answer
    found = [
        word
        for word, true in (("passes", passed), ("silent", silent), ("passes without its entry", passed and not owed))
        if true
    ]
    told = [json.loads(b"{%b}" % one) for one in text.split(b"\n") if one]
    return [*found, *(f"told as {one['verdict']}" for one in told if one["verdict"] == "allow")]
