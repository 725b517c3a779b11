"""Two users in one connection read on while one of them is held: what each of them got, and what is in the record.

Rules of this file: reads are written down by the reader with the time they began; the act is over when its answer is
there. Used by a test and, with the full counts, by the long tests.
"""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException
from smbprotocol.open import Open

from tests.enforcement.scene import BYSTANDER, CLEARED, Scene
from tests.samba.clients import READ, WRITE, Share, closing, log_in
from tests.samba.server import FileServer

ALICE, BOB = CLEARED.uid, BYSTANDER.uid  # the names of the share's users, E1 and E3 of the scene
ACCOUNTS = {"alice": ALICE, "bob": BOB}


@dataclass
class Reads:
    """What one handle gave: the time each read began, and whether data came."""

    file: Open
    times: list[tuple[float, bool]] = field(default_factory=list)
    refusals: set[str] = field(default_factory=set)

    def read(self, count: int, size: int = 512) -> None:
        for number in range(count):
            began = time.monotonic()
            try:
                data = self.file.read((number * size) % 4096, size)
            except SMBException as error:
                self.times.append((began, False))
                self.refusals.add(type(error).__name__)
            else:
                self.times.append((began, len(data) == size))

    def data_after(self, moment: float) -> int:
        return sum(came for began, came in self.times if began > moment)

    def refused(self) -> int:
        return sum(not came for _, came in self.times)


@dataclass
class Round:
    """One hold of alice, whose reads go on beside bob's."""

    alice: Reads
    bob: Reads
    held: float


def hold_while_reading(site: Scene, alice: Share, bob: Share, count: int) -> Round:
    """Have both read *count* times by handles of their own, and hold alice meanwhile."""
    with closing(alice.open("doc.txt", READ | WRITE)) as hers, closing(bob.open("doc1.txt", READ | WRITE)) as his:
        readers = Reads(hers), Reads(his)
        threads = [threading.Thread(target=one.read, args=(count,)) for one in readers]
        for thread in threads:
            thread.start()
        while min(len(one.times) for one in readers) < count // 4:
            time.sleep(0.001)
        with site.asking() as agent:
            agent.call("hold.add", person="E1", reason="测试")
        held = time.monotonic()
        for thread in threads:
            thread.join(120)
    return Round(*readers, held)


def both(made: Connection) -> tuple[Share, Share]:
    """Log both in over one connection."""
    return log_in(made, "alice"), log_in(made, "bob")


def wrong_names(site: Scene, server: FileServer, folder: Path) -> list[dict[str, object]]:
    """Return the entries of uses of doc.txt that are not alice's, and of doc1.txt that are not bob's."""
    pids = {process.pid for process in server.sessions()}
    whose = {str(folder / "doc.txt"): ALICE, str(folder / "doc1.txt"): BOB}
    return [
        entry
        for entry in site.accesses()
        if entry.get("pid") in pids and entry.get("path") in whose and entry["fsuid"] != whose[str(entry["path"])]
    ]
