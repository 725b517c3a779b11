"""Data that moves between files without being read: reflinks, deduplication, exchanged extents (xfs; ioctl(2))."""

import fcntl
import os
import struct
from collections.abc import Callable, Iterator

import pytest

from agent.demo.actors import acting
from tests import needs
from tests.enforcement.scene import CLEARED, SECRET, Gate, Scene, error_of, scene

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.xdist_group("kernel-reflink"),
    needs.needs(needs.volume("xfs")),
]

Say = Callable[[object], None]
_FICLONE, _FIDEDUPERANGE, _EXCHANGE_RANGE = 0x40049409, 0xC0189436, 0x40285881
_BLOCK = 4096


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene(volume="xfs", size=400 << 20) as made:
        yield made


def dedupe(secret: int, own: int) -> None:
    """Ask the filesystem whether both begin with the same block: an oracle for what is in *secret*."""
    asked = struct.pack("=QQHHIqQQiI", 0, _BLOCK, 1, 0, 0, own, 0, 0, 0, 0)
    fcntl.ioctl(secret, _FIDEDUPERANGE, bytearray(asked))


def moves(secret: int, own: int) -> dict[str, str]:
    os.ftruncate(own, 0)
    os.pwrite(own, SECRET.encode()[: 2 * _BLOCK], 0)
    exchange = struct.pack("=iIQQQQ", secret, 0, 0, 0, _BLOCK, 0)
    return {
        "dedupe": error_of(lambda: dedupe(secret, own)),
        "exchange": error_of(lambda: fcntl.ioctl(own, _EXCHANGE_RANGE, exchange)),
        "clone out": error_of(lambda: fcntl.ioctl(own, _FICLONE, secret)),
        "clone in": error_of(lambda: fcntl.ioctl(secret, _FICLONE, own)),
    }


def test_nothing_moves_through_a_descriptor_whose_rights_have_ended(site: Scene) -> None:
    gate = Gate()

    def working(say: Say) -> None:
        secret = os.open(site.plans / "doc.txt", os.O_RDWR)
        own = os.open(site.public / "own", os.O_RDWR | os.O_CREAT, 0o600)
        while True:
            say(moves(secret, own))
            gate.wait()

    with acting(CLEARED, working) as worker:
        before = worker.next().value
        assert {name: error for name, error in before.items() if name != "exchange"} == dict.fromkeys(
            ("dedupe", "clone out", "clone in"), ""
        )
        assert before["exchange"] in ("", "ENOTSUP")  # mkfs decides whether the filesystem can
        with site.below("E1"):
            gate.open()
            assert set(worker.next().value.values()) == {"EPERM"}
