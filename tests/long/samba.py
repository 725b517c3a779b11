"""Two users in one connection to smbd read on while one of them is held, again and again.

A round: each reads 2,000 times by a handle of their own, one of them is held meanwhile. What must hold: no read of hers
that began after the acknowledgement returns data, none of his is refused, and every entry names whoever it was. In each
fourth round the decider is killed beside it: then a read of his may wait, and is not refused.
"""

import itertools
import threading

from tests.enforcement.scene import dead_man, scene
from tests.long.rounds import Part, Run
from tests.samba.clients import connection
from tests.samba.held import ACCOUNTS, both, hold_while_reading, wrong_names
from tests.samba.server import serving

_READS = 2000
_SECONDS = 30.0
_PATIENCE = 3600.0
_MODULES = ((), ("vfs objects = io_uring",))


def run(run: Run) -> None:
    """Hold one of two, with smbd's pool of threads and with an io_uring in turn."""
    for number, settings in enumerate(itertools.cycle(_MODULES)):
        if not run.more(_SECONDS):
            return
        with scene() as site, dead_man(site.site, _PATIENCE):
            folder = site.site.home.root.parent / f"smb{number}"
            with serving(folder, ACCOUNTS, {"plans": site.plans}, settings) as server:
                site.settled()
                for turn in run.rounds(_SECONDS, most=5):
                    with connection(server) as made:
                        alice, bob = both(made)
                        site.mark()
                        dying = threading.Timer(run.chance(turn).uniform(0, 1), site.replace_decider)
                        if turn % 4 == 3:
                            dying.start()
                        done = hold_while_reading(site, alice, bob, _READS)
                        if dying.is_alive():
                            dying.join()
                        run.check("reads with data after the acknowledgement", done.alice.data_after(done.held))
                        run.check("refusals of the other's own file", done.bob.refused())
                        run.check("entries under a wrong name", len(wrong_names(site, server, site.plans)))
                        run.count("reads", len(done.alice.times) + len(done.bob.times))
                        run.count("reads after the acknowledgement", sum(at > done.held for at, _ in done.alice.times))
                    site.site.shoumi("hold", "lift", "E1", "--reason", "测试")


PART = Part(
    "samba",
    "two users in one connection to smbd, one of them held",
    run,
    rounds=20,
    short=4,
    needs=("libnss-wrapper", "samba", "samba-vfs-modules", "smbclient"),
)
