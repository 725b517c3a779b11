"""What smbd itself writes down of renames, read as docs/samba.md says: nobody's name in it is forged."""

import re
import subprocess
import tempfile
from pathlib import Path

from smbprotocol.file_info import FileInformationClass
from smbprotocol.open import CreateOptions

from tests import ROOT, needs
from tests.enforcement.scene import CLEARED
from tests.samba import server
from tests.samba.clients import READ, closing, connection, log_in

pytestmark = [needs.root, needs.needs(server.required)]

FORGED = (
    "plan\n  bob|10.9.9.9|plans|renameat|ok|/srv/a|/srv/b\n[2026/01/01 00:00:00,  1] x.c:1(do_log)\n  bob|renameat|ok|"
)
SETTINGS = (
    "vfs objects = full_audit", "full_audit:prefix = %u|%I|%S", "full_audit:success = renameat",
    "full_audit:failure = none", "full_audit:syslog = no", "[global]", "log level = 1",
)  # fmt: skip


def test_a_name_with_a_line_break_in_it_puts_nobody_else_into_the_record() -> None:
    page = (ROOT / "docs" / "samba.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^\$ (grep .*renameat.*)$", page, re.MULTILINE)
    with tempfile.TemporaryDirectory(prefix="shoumi-smb-") as made:
        place, share = Path(made), Path(made, "share")
        place.chmod(0o755)
        share.mkdir()
        share.chmod(0o777)
        evil = share / FORGED.replace("/", "∕")  # a slash cannot be in a name
        evil.touch()
        evil.chmod(0o666)
        log = place / "smb" / "log" / "shares.log"
        with (
            server.serving(
                place / "smb", {"alice": CLEARED.uid}, {"plans": share}, [*SETTINGS, f"log file = {log}"]
            ) as served,
            connection(served) as one,
        ):
            alice = log_in(one, "alice")
            with closing(alice.open("", READ, options=CreateOptions.FILE_DIRECTORY_FILE)) as folder:
                rows = folder.query_directory("*", FileInformationClass.FILE_NAMES_INFORMATION)
                names = {row["file_name"].get_value().decode("utf-16-le") for row in rows} - {".", ".."}
            alice.rename(names.pop(), "plan.txt")
            alice.rename("plan.txt", "plan2.txt")
        shown = command.replace("/var/log/samba/shares.log", str(log))
        told = subprocess.run(shown, shell=True, capture_output=True, text=True, check=False).stdout
        assert "|10.9.9.9|" in log.read_text(), "the attack is none"
    found = [line.strip().split("|")[:2] for line in told.splitlines()]
    assert found
    assert all(one == ["alice", "127.0.0.1"] for one in found)
