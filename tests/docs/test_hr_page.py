"""The commands of docs/hr-integration.md as written, one after the other, on a real agent that no network reaches."""

import json
import os
import re
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import jwt
import pytest

from agent.offboard.intake import pinned_keys
from agent.runtime.supervisor import python
from agent.simulator import hr_sender
from rules.offboarding.vocabulary import CaseKind
from tests import ROOT, needs
from tests.control.site import running
from tests.docs.reference import DOCS
from tests.offboard.intake.test_edges import MEMBERS

PAGE = (DOCS / "hr-integration.md").read_text(encoding="utf-8")
LEAVERS = ("E1001", "E1002", "E1003")


def blocks(language: str, page: str = PAGE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Return the commands of the page, each in one line, without what is said to them."""
    lines = "".join(blocks("console")).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def network_sockets(pid: int) -> list[str]:
    """Return the IP sockets a process and those it started have open, as the kernel lists them."""
    own = set()
    for process in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
        for file in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                own.add(os.readlink(file).partition("socket:[")[2].rstrip("]"))
    listed = [line for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6") for line in _listed(kind)]
    return [line for line in listed if line.split()[9] in own]


def _listed(kind: str) -> list[str]:
    file = Path("/proc/net") / kind
    return file.read_text().splitlines()[1:] if file.exists() else []


@needs.root
def test_the_commands_of_the_page_run_in_their_order_and_without_a_network(tmp_path: Path) -> None:
    found = commands()
    assert len(found) == 9
    sender, keys = tmp_path / "sender.py", tmp_path / "keys"
    sender.write_text(blocks("python")[0])
    shutil.copy(ROOT / "agent/hr_drop.py", tmp_path)
    with running(tmp_path / "home") as site:
        home = str(site.home.root)
        shoumi = " ".join(python("agent.cli", "--home", home))
        paths = {"/var/lib/shoumi": home, "/mnt/shoumi": home, "/srv/keys": str(keys)}
        paths |= {"E1001 --number": "E1003 --number"}  # who leaves by the last command, under that number
        for leaver in LEAVERS:
            _run(f"{shoumi} person add {leaver}", tmp_path)
        for command in found:
            if command.startswith("python hr_drop.py"):
                _prepare(keys, tmp_path)
            for written, here in paths.items():
                command = command.replace(written, here)
            if command.startswith("shoumi "):
                line = command.replace("shoumi ", f"{shoumi} ", 1)
            else:
                line = command.replace("python ", "python3 -I ", 1)
            # no interface of its own is up: what needs a network fails here
            _run(f"exec unshare --net sh -ec {_quoted(line)}", tmp_path)
        with site.client() as client:
            _until(lambda: {case["person"] for case in client.stream("case.list", all=True)} == set(LEAVERS))
            assert len(list(client.stream("hr.subject.list"))) == 3
            cases = {case["person"]: case for case in client.stream("case.list", all=True)}
        assert cases["E1001"]["last_day"] == "2026-12-31"
        assert site.control
        assert network_sockets(site.control.pid) == []


def _prepare(keys: Path, folder: Path) -> None:
    """Put beside the command what its line names: the keys, and the notice of the page with names and times of now."""
    for name, own in (("hr", "sender"), ("zhang", "E0007"), ("li", "E0008")):
        shutil.copy(keys / f"{own}{hr_sender.PRIVATE}", folder / f"{name}{hr_sender.PRIVATE}")
    _, approvers = hr_sender.read_keys(keys)
    now = time.time()
    [notice] = [json.loads(block) for block in blocks("json") if '"approvers"' in block]
    [event] = notice["events"].values()
    assert [one["by"] for one in event["approvers"]] == ["E0007", "E0008"]
    assert {key["person"] for key in approvers} == {"E0007", "E0008"}
    for one in event["approvers"]:
        one["at"] = int(now)
    notice |= {"aud": "urn:shoumi:agent:test", "txn": "HR-2026-0044", "toe": now}
    notice["sub_id"] |= {"iss": _written_for("https://hr.example"), "sub": "000123"}
    (folder / "notice.json").write_text(json.dumps(notice))


def _written_for(issuer: str) -> str:
    """Return the issuer of the keys that are made for trying, which the page names beside that of its examples."""
    [found] = re.findall(rf"the issuer `(\S+)` where the\s+examples of this\s+page have `{issuer}`", PAGE)
    return str(found)


def _run(line: str, folder: Path) -> None:
    path = f"{Path(python('x')[0]).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", line], cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def _quoted(line: str) -> str:
    return "'" + line.replace("'", "'\\''") + "'"


def _until(come: object, patience: float = 30.0) -> None:
    assert callable(come)
    deadline = time.monotonic() + patience
    while not come():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def test_the_keys_of_the_page_are_pinned_as_it_says(tmp_path: Path) -> None:
    """With a real key in the place of each ``…``."""
    made = hr_sender.make_keys(tmp_path, audience="x", iss="x", approvers=[("a", "E1"), ("b", "E2"), ("c", "E3")])
    keys = iter(json.loads(made.read_text())["keys"])
    curve = {"x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
    [shown] = [json.loads(block) for block in blocks("json") if '"keys"' in block]
    for key in shown["keys"]:
        key |= curve if key["kty"] == "EC" else {"x": next(keys)["x"]}
    found = pinned_keys.parse(json.dumps(shown).encode())
    assert (found.audience, found.approvals_needed, found.drop_uid) == ("urn:shoumi:agent:site-a", 2, 61500)
    assert {kid: (key.alg, key.approves, key.person) for kid, key in found.by_kid.items()} == {
        "hr-2026": ("EdDSA", False, ""),
        "zhang-2026": ("ES256", True, "E0007"),
        "li-2026": ("EdDSA", True, "E0008"),
    }
    for setting in ("leeway_seconds", "ahead_seconds", "late_after_seconds", "approvals_needed"):
        [row] = re.findall(rf"^\| `{setting}` \|.*\| (\d+) \|$", PAGE, re.MULTILINE)
        assert int(row) == shown[setting], "the page shows what is meant unless it is set"
    assert pinned_keys.parse(json.dumps({"audience": "x", "keys": shown["keys"]}).encode()) == pinned_keys.parse(
        json.dumps(shown | {"audience": "x", "drop_uid": 0}).encode()
    )


def test_the_page_lists_every_member_and_every_kind() -> None:
    [table] = re.findall(r"^Members of `departure-approved`.*?\n\n(.*?)\n\n", PAGE, re.MULTILINE | re.DOTALL)
    rows = [row.split("|") for row in table.splitlines()[2:]]
    assert {name for row in rows for name in re.findall("`([^`]+)`", row[1])} == MEMBERS.keys()
    [kinds] = [row[2] for row in rows if "`kind`" in row[1]]
    assert set(re.findall("`([^`]+)`", kinds)) == {kind.value for kind in CaseKind}
    assert [row[1].strip() for row in rows if row[3].strip() == "yes"] == ["`kind`", "`approvers`"]


def test_the_sender_of_the_page_puts_the_token_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, new = tmp_path / "keys", tmp_path / "new"
    new.mkdir()
    hr_sender.make_keys(keys, audience="x", iss="x", approvers=[("a", "E7")])
    synced: list[tuple[str, int, list[str]]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        synced.append((name, os.fstat(descriptor).st_size, [one for one in os.listdir(new) if one.endswith(".set")]))

    monkeypatch.setattr(os, "fsync", fsync)
    files = [str(keys / f"{name}{hr_sender.PRIVATE}") for name in ("sender", "E7")]
    monkeypatch.setattr("sys.argv", ["sender.py", "E1", "HR-1", "x", str(new), *files])
    exec(compile(blocks("python")[0], "sender.py", "exec"), {})
    [(name, size, there)] = synced
    [delivered] = os.listdir(new)
    assert (name.endswith(".set"), there) == (False, [])
    assert size == (new / delivered).stat().st_size > 0
    assert jwt.get_unverified_header((new / delivered).read_text())["typ"] == "secevent+jwt"
