"""docs/samba.md followed from an empty server: a clean root of Debian, README, the page, and what is tried next.

A round is one release and one language. What README says is installed and made, with its ten lines the agent is
started, and then every command of the page is typed in its order (:mod:`tests.long.share_program`): the real
``apt install``, accounts, paths and port, with clients at work when somebody is held and when somebody leaves. The
server has a network of its own, so that no port of this machine is taken; what apt needs is fetched before.

Rules of this file: one of these runs at a time on a machine, because a hold ends processes of a uid, and the page
names two. What was made is removed with the root; what a run that died has left there is ended by the next one.
"""

import contextlib
import errno
import itertools
import json
import socket
import time
from collections.abc import Iterator

from tests import ROOT
from tests.docs.shown import blocks
from tests.long.clean_root import RELEASES, CleanRoot, clean_root, end_left
from tests.long.install import NAMED, named
from tests.long.rounds import Part, Run
from tests.long.share_follower import PAGES

_APT, _MAKE, _PAGE, _TURN = 300.0, 600.0, 300.0, 900.0  # seconds
_ROUNDS = [(release, language) for language, release in itertools.product(PAGES, RELEASES)]


def run(run: Run) -> None:
    """Follow the page once a round. The short form begins with another release or language each time."""
    first = run.chance(0).randrange(len(_ROUNDS)) if run.short else 0
    for release in RELEASES:
        end_left(run.folder / release)
    for number in run.rounds():
        release, language = _ROUNDS[(first + number) % len(_ROUNDS)]
        with _alone(), clean_root(release, run.folder / release) as root:
            _round(run, root, release, language)


def _round(run: Run, root: CleanRoot, release: str, language: str) -> None:
    where, page = f"{release}, {language}", (ROOT / PAGES[language][1]).read_text(encoding="utf-8")
    install = next(block.text.strip() for block in blocks(page) if block.kind == "sh")
    for command, seconds in (
        (f"apt-get -qq update && apt-get -qq install --yes {' '.join(named(PAGES[language][0], NAMED))}", _APT),
        ("make .venv/.run", _MAKE),
        (install.replace("apt install", "apt-get -qq install --yes --download-only"), _APT),
    ):
        done = root.run(command, seconds)
        if done.code:
            run.fail(f"{where}: `{command}` ends with {done.code}: {done.output[-1500:]}")
            return
    done = root.run(f"exec unshare --net .venv/bin/python -m tests.long.share_program {language}", _PAGE)
    try:
        result = json.loads(done.output.splitlines()[-1])
    except (ValueError, IndexError):
        run.fail(f"{where}: the page was not followed to its end, {done.code}: {done.output[-1500:]}")
        return
    for what, number in result["counts"].items():
        run.count(what, number)
    for failure in result["failures"]:
        run.fail(f"{where}: {failure}")
    run.note(f"{where}: {len(result['failures'])} not as on the page")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other run of this part is in its root. The kernel ends the claim with its holder (unix(7))."""
    deadline = time.monotonic() + _TURN
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        while True:
            try:
                claim.bind("\0shoumi-long-share")
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise
            time.sleep(1)
        yield


PART = Part(
    "share",
    "docs/samba.md followed in clean roots of Debian",
    run,
    rounds=len(_ROUNDS),
    short=1,
    needs=("debootstrap", "git"),
)
