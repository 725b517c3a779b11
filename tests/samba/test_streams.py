"""Named streams and extended attributes over the network: a stream that is a file is guarded; other ones are refused.

Where a server keeps them in attributes nobody is asked, which the first two tests show with the real server: that is
why no directory served like that becomes an area, and ``doctor`` says it of one that is.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.kernel import mountinfo
from agent.simulator import volume_image
from agent.volumes import samba_look
from agent.volumes.samba_shares import SambaSeen
from tests import needs
from tests.enforcement.scene import BYSTANDER, CLEARED, TOO_LOW, Scene, scene, until
from tests.samba import server
from tests.samba.clients import answered, closing, connection, log_in, refused
from tests.sentences import en

pytestmark = [pytest.mark.kernel, needs.kernel, needs.needs(server.required)]

ACCOUNTS = {"alice": CLEARED.uid, "bob": BYSTANDER.uid, "carl": TOO_LOW.uid}
IN_ATTRIBUTES = "vfs objects = streams_xattr"
IN_FILES = "vfs objects = streams_depot"
CONTENT = b"content of a stream"


@pytest.fixture(scope="module")
def site() -> Iterator[Scene]:
    with scene() as made:
        yield made


@pytest.fixture
def kept(site: Scene) -> Path:
    """A folder for what a server keeps, which its accounts reach; its name is short, because sockets lie in it."""
    made = Path(tempfile.mkdtemp(dir=site.site.home.root.parent))
    made.chmod(0o755)
    return made


def findings(site: Scene) -> list[str]:
    """What ``doctor`` says of streams."""
    said = site.site.shoumi("doctor", "--json", check=False).stdout
    return [line for line in said.splitlines() if '"streams' in line or '"attributes"' in line]


def test_what_is_kept_in_attributes_is_read_by_anybody_and_doctor_says_so(site: Scene, kept: Path) -> None:
    with (
        server.serving(kept, ACCOUNTS, {"plans": site.plans}, [IN_ATTRIBUTES]) as served,
        connection(served) as one,
    ):
        alice, carl = log_in(one, "alice"), log_in(one, "carl")
        site.mark()
        alice.put("doc.txt:secret", CONTENT)
        assert carl.get("doc.txt:secret") == CONTENT
        assert site.accesses(CLEARED, TOO_LOW) == [], "nobody was asked"
        assert refused(lambda: carl.get("doc.txt")) == "ACCESS_DENIED"
        assert [entry["path"] for entry in site.accesses(TOO_LOW)] == [str(site.plans / "doc.txt")]
        [said] = findings(site)
        assert '"serious"' in said
        assert "area `plans`: the Samba share `plans`" in said
        assert IN_ATTRIBUTES in said
    assert findings(site) == []


def test_extended_attributes_that_clients_may_set_are_the_same(site: Scene, kept: Path) -> None:
    with server.serving(kept, ACCOUNTS, {"plans": site.plans}, ["ea support = yes"]) as served:
        site.mark()
        assert served.smbclient("alice", "setea doc1.txt secret hello").returncode == 0
        assert "hello" in served.smbclient("carl", "geteas doc1.txt").stdout
        assert site.accesses(CLEARED, TOO_LOW) == []
        [said] = findings(site)
        assert '"warning"' in said
        assert "may store up to 64 KiB in user.* attributes" in said


def test_a_stream_that_is_a_file_is_refused_like_its_file(site: Scene, kept: Path) -> None:
    with (
        server.serving(kept, ACCOUNTS, {"plans": site.plans}, [IN_FILES]) as served,
        connection(served) as one,
        connection(served) as two,
        connection(served) as three,
    ):
        alice, bob, carl = log_in(one, "alice"), log_in(two, "bob"), log_in(three, "carl")
        site.mark()
        alice.put("doc2.txt:secret", CONTENT)
        assert bob.get("doc2.txt:secret") == CONTENT
        assert refused(lambda: carl.get("doc2.txt:secret")) == "ACCESS_DENIED"
        assert {(entry["fsuid"], entry["verdict"]) for entry in site.accesses()} == {
            (CLEARED.uid, "allow"),
            (BYSTANDER.uid, "allow"),
            (TOO_LOW.uid, "deny"),
        }
        assert {Path(entry["path"]).name for entry in site.accesses()} == {":secret:$DATA"}
        with closing(alice.open("doc2.txt:secret")) as held:
            with site.below("E1"):
                assert refused(lambda: alice.get("doc2.txt:secret")) == "ACCESS_DENIED"
                assert refused(lambda: held.read(0, 100)) == "ACCESS_DENIED"
                assert bob.get("doc2.txt:secret") == CONTENT
            assert bytes(held.read(0, 100)) == CONTENT
        assert findings(site) == []


@pytest.mark.parametrize("served_as", ["itself", "above", "below"])
def test_a_directory_that_is_served_like_that_does_not_become_an_area(site: Scene, kept: Path, served_as: str) -> None:
    area = site.public / served_as
    (area / "below").mkdir(parents=True)
    path = {"itself": area, "above": site.site.root, "below": area / "below"}[served_as]
    words = ("area", "add", str(area), "--name", served_as, "--level", "secret", "--domain", "state")
    with server.serving(kept, ACCOUNTS, {"public": path}, [IN_ATTRIBUTES]) as served:
        said = site.site.shoumi(*words, check=False)
        assert said.returncode == 1
        assert "the Samba share `public`" in said.stderr
        assert f"`{IN_ATTRIBUTES}`" in said.stderr
        assert "hint: store streams with `vfs objects = streams_depot`" in said.stderr
        served.configuration.write_text(served.configuration.read_text().replace(IN_ATTRIBUTES, IN_FILES))
        if served_as == "above":  # its streams would lie beside the area
            assert "outside it, in" in site.site.shoumi(*words, check=False).stderr
            return
        site.site.shoumi(*words)
    site.site.shoumi("area", "remove", served_as)


def test_what_includes_the_registry_and_shares_of_users_are_seen_and_clients_own_files_are_unknown(
    kept: Path,
) -> None:
    shares, users = kept / "shares", kept / "users"
    for folder in (shares, users):
        folder.mkdir(parents=True)
    with server.serving(kept / "samba", {}, {"first": shares}) as served:
        served.tool("net", "conf", "addshare", "second", str(shares))
        (users / "third").write_text(f"#VERSION 2\npath={shares}\ncomment=\nusershare_acl=S-1-1-0:F\nguest_ok=n\n")
        written = served.configuration.read_text()
        more = f"include = registry\nusershare max shares = 9\nusershare path = {users}\n"
        served.configuration.write_text(f"{written}[global]\n{more}")

        def look() -> SambaSeen:
            return samba_look.find_shares((), mountinfo.table(), (str(served.configuration),))

        seen = [one for one in look().shares if str(shares) in one.paths]
        assert {one.name: one.settable for one in seen} == {"first": False, "second": True, "third": True}
    assert not [why for why in look().unknown if str(kept) in en(why)]
    served.configuration.write_text(written.replace("[global]\n", "[global]\ninclude = /etc/samba/%m.conf\n"))
    [unknown] = [why for why in look().unknown if str(kept) in en(why)]
    assert "`include = /etc/samba/%m.conf` depends on the client" in en(unknown)
    served.configuration.write_bytes(b"#" * ((1 << 20) + 1))
    [unknown] = [why for why in look().unknown if str(kept) in en(why)]
    assert en(unknown) == f"`{served.configuration}`: cannot be read"


def test_where_everybody_is_one_account_that_account_is_asked_about_and_doctor_says_so(site: Scene, kept: Path) -> None:
    with server.serving(kept, ACCOUNTS, {"plans": site.plans}, ["force user = alice"]) as served:
        site.mark()
        with connection(served) as one:
            assert log_in(one, "carl").get("doc3.txt")
        assert {entry["fsuid"] for entry in site.accesses()} == {CLEARED.uid}
        [said] = [line for line in site.site.shoumi("doctor", "--json", check=False).stdout.splitlines()
                  if "one-account" in line]  # fmt: skip
        assert "maps all users to `alice`" in said


def test_what_runs_in_a_root_of_its_own_is_unknown_for_the_filesystems_it_sees(site: Scene, kept: Path) -> None:
    """A program of that name stands for the server of a container: its root is the folder that has the volume in it."""
    root = site.site.home.root.parent
    program = root / "smbd"
    libraries = subprocess.run(("ldd", "/bin/sleep"), capture_output=True, text=True, check=True).stdout
    for path in ("/bin/sleep", *re.findall(r"(/\S+) \(0x", libraries)):
        inside = program if path == "/bin/sleep" else root / path[1:]
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(path), inside)
    running = subprocess.Popen(("chroot", str(root), "/smbd", "100"))
    try:
        until(lambda: os.readlink(f"/proc/{running.pid}/exe") == str(program))
        [said] = findings(site)
        assert f"smbd {running.pid} reaches this filesystem from another root directory" in said
        words = ("area", "add", str(site.public), "--name", "public", "--level", "secret", "--domain", "state")
        assert "it is not known what Samba shares" in site.site.shoumi(*words, check=False).stderr
    finally:
        running.kill()
        running.wait()
    assert findings(site) == []


def test_without_testparm_the_files_are_read(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (kept / "smb.conf").write_text(f"[a]\npath = {kept}\ninclude = {kept}/more\n[b]\npath=/b\ninclude = registry\n")
    (kept / "more").write_text("ea support = no\n")

    def look() -> SambaSeen:
        return samba_look.find_shares((), mountinfo.table(), (str(kept / "smb.conf"),))

    monkeypatch.setenv("PATH", str(kept))
    shares = {one.name: one.settable for one in look().shares if one.source == str(kept / "smb.conf")}
    assert shares == {"a": False, "b": True}
    [unknown] = [why for why in look().unknown if str(kept) in en(why)]
    assert "`include = registry` refers to another source" in en(unknown)


def test_what_a_share_takes_back_of_what_it_copies_counts_with_testparm_and_without(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``testparm`` leaves out what a section sets to the default, and keeps its line ``copy``."""
    first = f"[first]\npath = {kept}\nea support = no\n{IN_ATTRIBUTES}\n"
    others = f"[worse]\ncopy = first\npath = {kept}\nea support = yes\n[better]\ncopy = first\nvfs objects =\n"
    (kept / "smb.conf").write_text(first + others)

    def look() -> dict[str, tuple[tuple[str, ...], bool]]:
        found = samba_look.find_shares((), mountinfo.table(), (str(kept / "smb.conf"),)).shares
        return {one.name: (one.keeps, one.settable) for one in found if one.source == str(kept / "smb.conf")}

    expected = {"first": ((IN_ATTRIBUTES,), False), "worse": ((IN_ATTRIBUTES,), True), "better": ((), False)}
    assert look() == expected
    monkeypatch.setenv("PATH", str(kept))
    assert look() == expected


def test_an_area_that_is_served_like_that_is_closed_with_an_alarm_until_it_is_mended(site: Scene, kept: Path) -> None:
    def looked(state: str) -> dict[str, Any]:
        with volume_image.volume("ext4", 8 << 20):  # a mount wakes the agent, which looks every half a minute anyway
            until(lambda: site.site.ask("area", "show", "plans")["closed"] is (state == "closed"), 40)
        return dict(site.site.ask("area", "show", "plans"))

    with server.serving(kept, ACCOUNTS, {"plans": site.plans}, [IN_ATTRIBUTES]) as served:
        site.mark()
        shown = looked("closed")
        assert (shown["tier"], shown["closed"]) == ("none", True)
        [why] = [finding for finding in shown["findings"] if finding["state"] == "serious"]
        assert IN_ATTRIBUTES in en(why["text"])
        until(lambda: [one for one in site.news() if one["kind"] == "volume" and one.get("state") == "closed"])
        [told] = [one for one in site.news() if one["kind"] == "volume" and one.get("state") == "closed"]
        assert (told["area"], told["alarm"]) == ("plans", True)
        with connection(served) as late:
            assert answered(lambda: log_in(late, "alice").get("doc.txt")) != ""
        site.site.stop()
        site.site.start()
        assert site.site.ask("area", "show", "plans")["closed"] is True
        served.configuration.write_text(served.configuration.read_text().replace(IN_ATTRIBUTES, IN_FILES))
        assert looked("guarded")["tier"] != "none"
