"""SMB3 clients: several users in one connection, as a terminal server has them, by a library of its own.

Rules of this file: the client shares no code with the server. What is refused is told as the name of its NT status.
"""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smbprotocol import exceptions
from smbprotocol.connection import Connection
from smbprotocol.file_info import FileRenameInformation
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    FileAttributes,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    ShareAccess,
    SMB2SetInfoRequest,
)
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

from tests.samba.server import PASSWORD, FileServer

READ = FilePipePrinterAccessMask.GENERIC_READ
WRITE = FilePipePrinterAccessMask.GENERIC_WRITE
DELETE = FilePipePrinterAccessMask.DELETE
OPEN, CREATE, OPEN_IF, SUPERSEDE, OVERWRITE_IF = (
    CreateDisposition.FILE_OPEN,
    CreateDisposition.FILE_CREATE,
    CreateDisposition.FILE_OPEN_IF,
    CreateDisposition.FILE_SUPERSEDE,
    CreateDisposition.FILE_OVERWRITE_IF,
)
_ALL = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE


class Share:
    """A share as one user sees it."""

    def __init__(self, tree: TreeConnect, session: Session) -> None:
        self.tree = tree
        self.session = session

    def open(self, name: str, access: int = READ, how: int = OPEN, sharing: int = _ALL, options: int = 0) -> Open:
        """Open *name*, with folders apart by backslashes. Raises ``SMBResponseException``."""
        made = Open(self.tree, name)
        made.create(
            ImpersonationLevel.Impersonation, access, FileAttributes.FILE_ATTRIBUTE_NORMAL, sharing, how,
            options or CreateOptions.FILE_NON_DIRECTORY_FILE,
        )  # fmt: skip
        return made

    def put(self, name: str, data: bytes, how: int = OVERWRITE_IF) -> None:
        """Write *data* to *name*."""
        with closing(self.open(name, READ | WRITE, how)) as file:
            file.write(data)

    def get(self, name: str, size: int = 1 << 16) -> bytes:
        """Read the beginning of *name*."""
        with closing(self.open(name)) as file:
            return bytes(file.read(0, size))

    def rename(self, name: str, new: str, *, replace: bool = False) -> None:
        """Rename as Windows does: an open for deletion alone, and its new name."""
        with closing(self.open(name, DELETE, options=CreateOptions.FILE_OPEN_REPARSE_POINT)) as file:
            request = SMB2SetInfoRequest()
            request["info_type"] = 1
            request["file_id"] = file.file_id
            wanted = FileRenameInformation()
            wanted["replace_if_exists"] = replace
            wanted["file_name"] = new
            request["file_info_class"] = 10
            request["buffer"] = wanted
            made = self.session.connection
            made.receive(made.send(request, self.session.session_id, self.tree.tree_connect_id))


@contextmanager
def closing(file: Open) -> Iterator[Open]:
    try:
        yield file
    finally:
        with contextlib.suppress(exceptions.SMBException, OSError):
            file.close(get_attributes=False)


@contextmanager
def connection(server: FileServer, address: str = "127.0.0.1", client: uuid.UUID | None = None) -> Iterator[Connection]:
    """One connection to *server*, to and from the loopback *address*: 127.0.0.1 or ::1."""
    made = Connection(client or uuid.uuid4(), address, server.port, require_signing=True)
    made.connect(timeout=20)
    try:
        yield made
    finally:
        with contextlib.suppress(Exception):  # the server may have ended it, which is what some tests are about
            made.disconnect(close=False)


def log_in(made: Connection, account: str, share: str = "plans") -> Share:
    """Log *account* in over a connection that may have others, and return its view of *share*."""
    session = Session(made, account, PASSWORD)
    session.connect()
    tree = TreeConnect(session, rf"\\127.0.0.1\{share}")
    tree.connect()
    return Share(tree, session)


def refusal(error: BaseException) -> str:
    """Return the NT status by which *error* refuses, such as ``ACCESS_DENIED``."""
    name = type(error).__name__
    return "".join(f"_{c}" if c.isupper() else c.upper() for c in name).strip("_")


def refused(act: Callable[[], object]) -> str:
    """Return how *act* is refused. Raises ``AssertionError`` when it is not."""
    status = answered(act)
    assert status, "it was not refused"
    return status


def answered(act: Callable[[], object]) -> str:
    """Return how *act* is refused, an empty string when it is not."""
    try:
        act()
    except exceptions.SMBResponseException as error:
        return refusal(error)
    return ""
