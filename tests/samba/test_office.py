"""What office programs on Windows do with a file, over SMB3 with the real server: who is named for it, who is refused.

Every step is done by one user of a connection of their own; the entries that it leaves are that user's and nobody
else's. What no permission event exists for (row 19 of docs/limits.md) is here as well, as it is.
"""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from smbprotocol.file_info import FileInformationClass
from smbprotocol.open import CreateOptions, ShareAccess

from tests import needs
from tests.enforcement.scene import BYSTANDER, CLEARED, SIZE, TOO_LOW, Scene, scene, until
from tests.samba import server
from tests.samba.clients import (
    CREATE,
    DELETE,
    OPEN,
    READ,
    SUPERSEDE,
    WRITE,
    Share,
    closing,
    connection,
    log_in,
    refused,
)

pytestmark = [pytest.mark.kernel, needs.kernel, needs.needs(server.required)]

ACCOUNTS = {"alice": CLEARED.uid, "bob": BYSTANDER.uid, "carl": TOO_LOW.uid}
SETTINGS = ("create mask = 0666", "force create mode = 0666", "force directory mode = 0777")
FOLDER = CreateOptions.FILE_DIRECTORY_FILE
FILE_GONE_WHEN_CLOSED = CreateOptions.FILE_NON_DIRECTORY_FILE | CreateOptions.FILE_DELETE_ON_CLOSE
ONLY_READERS = ShareAccess.FILE_SHARE_READ


class Office(NamedTuple):
    """A share with three people at it: two cleared, one not."""

    site: Scene
    alice: Share
    bob: Share
    carl: Share

    def names(self, folder: str = "") -> set[str]:
        """Return what bob sees in a folder."""
        with closing(self.bob.open(folder, options=FOLDER)) as shown:
            rows = shown.query_directory("*", FileInformationClass.FILE_NAMES_INFORMATION)
            return {row["file_name"].get_value().decode("utf-16-le") for row in rows} - {".", ".."}

    @contextlib.contextmanager
    def entries_of(self, *uids: int, denied: tuple[int, ...] = ()) -> Iterator[None]:
        """Check that what is done in the block leaves entries of these people, and of nobody else."""
        self.site.mark()
        yield
        found = {(entry.get("fsuid"), entry["verdict"]) for entry in self.site.accesses()}
        assert found == {*((uid, "allow") for uid in uids), *((uid, "deny") for uid in denied)}


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with (
        scene() as site,
        server.serving(site.site.home.root.parent / "samba", ACCOUNTS, {"plans": site.plans}, SETTINGS) as served,
        contextlib.ExitStack() as stack,
    ):
        yield Office(site, *(log_in(stack.enter_context(connection(served)), name) for name in ACCOUNTS))


def test_saving_by_a_new_file_that_takes_the_name_of_the_old_one(office: Office) -> None:
    alice = office.alice
    with office.entries_of(CLEARED.uid):
        assert len(alice.get("doc.txt")) == SIZE
        alice.put("~WRD0001.tmp", b"second version")
        alice.rename("doc.txt", "~WRL0002.tmp")
        alice.rename("~WRD0001.tmp", "doc.txt")
        with closing(alice.open("~WRL0002.tmp", DELETE, options=FILE_GONE_WHEN_CLOSED)):
            pass
    with office.entries_of(BYSTANDER.uid):
        assert office.bob.get("doc.txt") == b"second version"
        assert {name for name in office.names() if name.startswith("~")} == set()
    with office.entries_of(denied=(TOO_LOW.uid,)):
        assert refused(lambda: office.carl.get("doc.txt")) == "ACCESS_DENIED"


def test_saving_by_a_new_file_that_is_renamed_over_the_old_one(office: Office) -> None:
    with office.entries_of(BYSTANDER.uid):
        office.bob.put("~WRD0003.tmp", b"third version")
        office.bob.rename("~WRD0003.tmp", "doc1.txt", replace=True)
    with office.entries_of(CLEARED.uid):
        assert office.alice.get("doc1.txt") == b"third version"
    with office.entries_of(denied=(TOO_LOW.uid,)):
        assert refused(lambda: office.carl.get("doc1.txt")) == "ACCESS_DENIED"


def test_the_lock_file_tells_a_second_user_who_edits_and_goes_when_it_is_closed(office: Office) -> None:
    lock_name = "~$doc2.txt"
    with office.entries_of(CLEARED.uid, BYSTANDER.uid, denied=(TOO_LOW.uid,)):
        lock = office.alice.open(lock_name, READ | WRITE | DELETE, CREATE, ONLY_READERS, FILE_GONE_WHEN_CLOSED)
        with closing(lock), closing(office.alice.open("doc2.txt", READ | WRITE, OPEN, ONLY_READERS)):
            assert refused(lambda: office.bob.open("doc2.txt", READ | WRITE)) == "SHARING_VIOLATION"
            lock.write("Alice".encode("utf-16-le"))
            assert office.bob.get(lock_name) == "Alice".encode("utf-16-le")
            assert len(office.bob.get("doc2.txt")) == SIZE, "reading is what she left to others"
            assert refused(lambda: office.carl.get(lock_name)) == "ACCESS_DENIED"
            assert lock_name in office.names()
        assert lock_name not in office.names()
        with closing(office.bob.open("doc2.txt", READ | WRITE)):
            pass


def test_folders_and_long_chinese_names(office: Office) -> None:
    folder = "二〇二六年度" + "机密" * 35  # 228 of the 255 bytes a name may have
    file = f"{folder}\\{'图纸' * 40}.docx"
    with office.entries_of(CLEARED.uid):
        office.alice.open(folder, READ, CREATE, options=FOLDER).close()
        office.alice.put(file, "样例".encode())
    here = [entry["path"] for entry in office.site.accesses() if entry["action"] == "open"]
    assert here == [str(office.site.plans / file.replace("\\", "/"))]
    with office.entries_of(BYSTANDER.uid):
        assert office.bob.get(file) == "样例".encode()
        assert office.names(folder) == {"图纸" * 40 + ".docx"}
    with office.entries_of(denied=(TOO_LOW.uid,)):
        assert refused(lambda: office.carl.get(file)) == "ACCESS_DENIED"
        assert refused(lambda: office.carl.open(folder, READ, options=FOLDER)) == "ACCESS_DENIED"
    office.alice.rename(folder, "短名")
    assert "短名" in office.names()
    assert refused(lambda: office.carl.get("短名" + file.removeprefix(folder))) == "ACCESS_DENIED"


def test_what_a_denied_user_may_and_may_not_do_as_the_limits_say(office: Office) -> None:
    """No content comes or goes; an empty folder and a deletion are up to the permissions of the directory."""
    carl, before = office.carl, office.names()
    with office.entries_of(denied=(TOO_LOW.uid,)):
        assert refused(lambda: carl.put("doc3.txt", b"x")) == "ACCESS_DENIED"
        assert refused(lambda: carl.open("doc3.txt", READ | WRITE, SUPERSEDE)) == "ACCESS_DENIED"
        assert refused(lambda: carl.put("new.txt", b"x")) == "ACCESS_DENIED"
        assert refused(lambda: carl.open("", READ, options=FOLDER)) == "ACCESS_DENIED"
        assert refused(lambda: carl.open("folder", READ, CREATE, options=FOLDER)) == "ACCESS_DENIED"
    assert len(office.alice.get("doc3.txt")) == SIZE
    until(lambda: office.names() - before == {"folder"})  # what the refused create had made goes away
    with closing(carl.open("doc3.txt", DELETE, options=FILE_GONE_WHEN_CLOSED)):
        pass
    assert "doc3.txt" not in office.names()
