"""A server with an area and people, for the steps that end what somebody uses there."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from smbprotocol.connection import Connection
from smbprotocol.open import Open

from agent.offboard.context import Account, AreaPath, RevocationContext, RevocationSubject
from agent.offboard.steps import commands, samba_tools
from tests.offboard.host import context, unused_uid
from tests.samba.clients import READ, WRITE, Share, connection, log_in
from tests.samba.server import FileServer, serving

_PRELOADED = ("LD_PRELOAD", "NSS_WRAPPER_PASSWD", "NSS_WRAPPER_GROUP")


class Place(NamedTuple):
    """A server with two shares, ``plans`` that is an area and ``public`` that is none, and two people."""

    server: FileServer
    folder: Path
    ann: RevocationSubject
    ben: RevocationSubject

    @property
    def here(self) -> RevocationContext:
        """This host with its area, as a step sees it."""
        plans = self.folder / "plans"
        return context(
            self.folder,
            root=Path("/"),
            areas=lambda: [AreaPath("plans", str(plans))],
            devices=lambda: frozenset({plans.stat().st_dev}),
            area_of=lambda found: "plans" if Path(found.link).resolve().is_relative_to(plans) else None,
        )

    def lists(self) -> str:
        """Return who may use which share, as the server keeps it."""
        return self.server.tool("sharesec", "--view-all")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with unused_uid() as ann, unused_uid() as ben:
        for folder in (*tmp_path.parents, tmp_path):
            if folder.is_relative_to("/tmp"):
                folder.chmod(folder.stat().st_mode | 0o711)
        shares = {name: tmp_path / name for name in ("plans", "public")}
        for folder in shares.values():
            folder.mkdir()
            folder.chmod(0o777)
        with serving(tmp_path / "samba", {"ann": ann, "ben": ben}, shares) as server:
            monkeypatch.setitem(commands.ENVIRONMENT, commands.SMB_CONF, str(server.configuration))
            monkeypatch.setattr(samba_tools, "_STUCK", samba_tools._Stuck())  # noqa: SLF001 - each test asks anew
            for name in _PRELOADED:
                monkeypatch.setitem(commands.ENVIRONMENT, name, server.environment[name])
            yield Place(server, tmp_path, *(RevocationSubject(name, (Account(uid),)) for name, uid in
                                            (("E1", ann), ("E2", ben))))  # fmt: skip


class Desk(NamedTuple):
    """What is open: *ann* and *ben* in one connection, each of them in another one from the same address."""

    both: Connection
    ann: Open
    ben: Open
    ann_alone: Open
    ben_alone: Open
    of_ann: Share


@pytest.fixture
def desk(place: Place) -> Iterator[Desk]:
    with ExitStack() as stack:
        both, first, second = (stack.enter_context(connection(place.server)) for _ in range(3))
        shares = [log_in(at, who) for at, who in ((both, "ann"), (both, "ben"), (first, "ann"), (second, "ben"))]
        for share in shares[:1]:
            share.put("doc", b"plans")
            (place.folder / "plans/doc").chmod(0o666)
        files = [share.open("doc", READ | WRITE) for share in shares]
        ann, ben, ann_alone, ben_alone = files
        yield Desk(both, ann, ben, ann_alone, ben_alone, shares[0])
