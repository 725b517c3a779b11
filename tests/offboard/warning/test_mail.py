"""A warning in the mail: by the host's program where root put one, else in the spool, as the account and no more."""

import fcntl
import mailbox
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agent.offboard.warning import mail
from agent.offboard.warning.mail import MailBox, Mailed
from tests import needs
from tests.offboard.host import unused_uid

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
LINES = ["守密: 授权将结束", "From here on: ends"]

pytestmark = needs.root


@pytest.fixture
def to() -> Iterator[MailBox]:
    with unused_uid() as uid:
        yield MailBox("zhang", uid, uid)


@pytest.fixture
def spool() -> Iterator[Path]:
    """A spool in a folder that everybody can walk to, as a link's target would be."""
    with TemporaryDirectory(prefix="shoumi-test-") as made:
        Path(made).chmod(0o755)
        folder = Path(made) / "mail"
        folder.mkdir(0o755)
        yield folder


def deliver(to: MailBox, spool: Path, sendmail: tuple[Path, ...] = ()) -> Mailed:
    return mail.deliver(to, "守密 ends soon", LINES, NOW, sendmail, spool)


def box(spool: Path, owner: MailBox, text: str = "") -> Path:
    file = spool / owner.name
    file.write_text(text)
    os.chown(file, owner.uid, owner.gid)
    return file


def test_letters_are_appended_to_the_spool_which_is_made_when_there_is_none(to: MailBox, spool: Path) -> None:
    assert [deliver(to, spool) for _ in range(2)] == [Mailed.SPOOL] * 2
    found = (spool / "zhang").stat()
    assert (found.st_uid, found.st_mode & 0o777) == (to.uid, 0o600)
    with closing(mailbox.mbox(spool / "zhang", create=False)) as letters:
        assert len(letters) == 2
        for letter in letters:
            assert letter["Auto-Submitted"] == "auto-generated"
            said = letter.get_payload(decode=True)
            assert isinstance(said, bytes)
            assert said.decode().splitlines()[0] == "守密: 授权将结束"


def test_what_was_there_stays(to: MailBox, spool: Path) -> None:
    file = box(spool, to, "From a Mon Nov  2 01:30:00 2026\n\nx\n\n")
    assert deliver(to, spool) is Mailed.SPOOL
    assert file.read_text().startswith("From a Mon")


@pytest.mark.parametrize(
    "trap", ["symlink", "dangling", "hard link", "fifo", "another's", "folder", "read-only", "locked"]
)
def test_nothing_but_a_plain_file_of_the_account_is_written(to: MailBox, spool: Path, trap: str) -> None:
    file, precious = spool / to.name, spool.parent / "precious"
    precious.write_text("keep")
    match trap:
        case "symlink":
            os.chown(precious, to.uid, to.gid)
            file.symlink_to(precious)
        case "dangling":
            file.symlink_to(spool.parent / "made")
        case "hard link":
            os.chown(precious, to.uid, to.gid)
            file.hardlink_to(precious)
        case "fifo":
            os.mkfifo(file)
            os.chown(file, to.uid, to.gid)
        case "another's":
            file.write_text("keep")
            file.chmod(0o666)
        case "folder":
            file.mkdir()
        case "read-only":  # root could write it, and the account cannot
            box(spool, to, "keep").chmod(0o400)
        case "locked":
            box(spool, to, "keep")
    with open(file, "r+b") if trap == "locked" else nullcontext() as kept:
        if kept:
            fcntl.lockf(kept, fcntl.LOCK_EX)
        assert deliver(to, spool) is Mailed.NOT
    assert precious.read_text() == "keep"
    assert not (spool.parent / "made").exists()
    if trap in ("another's", "locked", "read-only"):
        assert file.read_text() == "keep"


def test_the_spool_is_locked_by_fcntl_alone_and_a_dot_file_is_neither_made_nor_heeded(to: MailBox, spool: Path) -> None:
    box(spool, to)
    (spool / f"{to.name}.lock").touch()  # as a program would that locks so
    assert deliver(to, spool) is Mailed.SPOOL
    assert sorted(path.name for path in spool.iterdir()) == [to.name, f"{to.name}.lock"]


def test_a_spool_folder_that_is_not_roots_is_not_used(to: MailBox, spool: Path) -> None:
    os.chown(spool, to.uid, to.gid)
    assert deliver(to, spool) is Mailed.NOT
    assert list(spool.iterdir()) == []


def program(folder: Path, body: str) -> Path:
    file = folder / "sendmail"
    file.write_text(f"#!{sys.executable} -I\nimport sys, pathlib\n{body}\n")
    file.chmod(0o755)
    return file


def test_the_hosts_own_program_gets_the_letter_where_root_put_one(to: MailBox, spool: Path) -> None:
    got = spool.parent / "got"
    sendmail = program(spool.parent, f"pathlib.Path({str(got)!r}).write_text(repr(sys.argv[1:]) + sys.stdin.read())")
    assert deliver(to, spool, (spool.parent / "none", sendmail)) is Mailed.SENDMAIL
    assert got.read_text().startswith("['-i', '--', 'zhang']From: Shoumi")
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize("why", ["fails", "writable", "another's"])
def test_else_the_spool_does(to: MailBox, spool: Path, why: str) -> None:
    got = spool.parent / "got"
    sendmail = program(spool.parent, "sys.exit(75)" if why == "fails" else f"pathlib.Path({str(got)!r}).touch()")
    if why == "writable":
        sendmail.chmod(0o777)
    elif why == "another's":
        os.chown(sendmail, to.uid, to.gid)
    assert deliver(to, spool, (sendmail,)) is Mailed.SPOOL
    assert not got.exists()


def test_an_account_the_host_does_not_know_has_no_mail() -> None:
    with unused_uid() as uid:
        assert mail.mailbox_of(uid) is None
    assert (
        subprocess.run(["id", "-un", "1"], capture_output=True, text=True, check=True).stdout.strip()
        == (mail.mailbox_of(1) or MailBox("", 0, 0)).name
    )
