"""What a client is allowed to keep of a guarded share, with the settings of docs/samba.md and without them.

Nobody here asks the agent: it is the server's own answer to a client, by which the page gives its reasons.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from smbprotocol.create_contexts import CreateContextName, SMB2CreateContextRequest, SMB2CreateDurableHandleRequest
from smbprotocol.open import FileAttributes, ImpersonationLevel, Open, RequestedOplockLevel, ShareAccess
from smbprotocol.tree import ShareFlags, SMB2TreeConnectRequest, SMB2TreeConnectResponse

from tests import needs
from tests.samba import server
from tests.samba.clients import OPEN_IF, READ, WRITE, Share, closing, connection, log_in

pytestmark = [needs.root, needs.needs(server.required)]

AS_ON_THE_PAGE = ("csc policy = disable", "oplocks = no", "level2 oplocks = no")
_UID = 61_509  # of no account


class Kept(NamedTuple):
    """What a client was granted that asked for all of it."""

    offline: bool
    oplock: bool
    durable: bool


@contextlib.contextmanager
def shared(settings: Sequence[str]) -> Iterator[Share]:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        top.chmod(0o755)
        (top / "share").mkdir()
        (top / "share").chmod(0o777)
        with (
            server.serving(top / "samba", {"alice": _UID}, {"plans": top / "share"}, settings) as served,
            connection(served) as made,
        ):
            yield log_in(made, "alice")


def kept(share: Share) -> Kept:
    request = SMB2TreeConnectRequest()
    request["buffer"] = share.tree.share_name.encode("utf-16-le")
    made = share.session.connection
    answer = SMB2TreeConnectResponse()
    answer.unpack(made.receive(made.send(request, sid=share.session.session_id))["data"].get_value())
    caching = answer["share_flags"].get_value() & ShareFlags.SMB2_SHAREFLAG_NO_CACHING
    wish = SMB2CreateContextRequest()
    wish["buffer_name"] = CreateContextName.SMB2_CREATE_DURABLE_HANDLE_REQUEST
    wish["buffer_data"] = SMB2CreateDurableHandleRequest()
    file = Open(share.tree, "doc.txt")
    granted = file.create(
        ImpersonationLevel.Impersonation, READ | WRITE, FileAttributes.FILE_ATTRIBUTE_NORMAL,
        ShareAccess.FILE_SHARE_READ, OPEN_IF, 0, [wish], RequestedOplockLevel.SMB2_OPLOCK_LEVEL_BATCH,
    )  # fmt: skip
    with closing(file):
        oplock = file.oplock_level != RequestedOplockLevel.SMB2_OPLOCK_LEVEL_NONE
        return Kept(caching != ShareFlags.SMB2_SHAREFLAG_NO_CACHING, oplock, bool(granted))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (AS_ON_THE_PAGE, Kept(offline=False, oplock=False, durable=False)),
        ((), Kept(offline=True, oplock=True, durable=True)),
        (("durable handles = no",), Kept(offline=True, oplock=True, durable=False)),
        (("oplocks = no",), Kept(offline=True, oplock=False, durable=False)),
    ],
)
def test_what_a_client_may_keep(settings: Sequence[str], expected: Kept) -> None:
    with shared(settings) as share:
        assert kept(share) == expected
