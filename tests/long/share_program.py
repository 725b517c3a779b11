"""``python -m tests.long.share_program LANGUAGE`` in a clean root: follows README and docs/samba.md, and goes on.

Where the page holds somebody, and where somebody leaves afterwards, clients are connected and at work.

Rules of this file: it runs with what the product needs and nothing else. The last line it prints is its result as JSON.
"""

import contextlib
import fcntl
import json
import re
import socket
import struct
import sys
import traceback
from pathlib import Path
from typing import Any

from tests.docs.shown import REFUSED, Block, Shown, blocks, shown
from tests.long.share_clients import at_work, get_slowly
from tests.long.share_follower import Follower

_SMBD = "/usr/sbin/smbd"
_PEOPLE = {61201: "E2001", 61202: "E2002"}  # of the page


def follow(follower: Follower) -> None:
    """Do what README's first section shows, then the whole page in its order."""
    [ten_lines] = [part for part in follower.readme.split("\n## ") if "$ shoumi init" in part]
    for one in (one for block in blocks(ten_lines) for one in shown(block.text)):
        done = follower.run(one.command)  # what it says is looked at elsewhere
        follower.expect(one.command != "shoumi run" or done.text.startswith("ready "), f"{one.command}: {done.text}")
        follower.count("commands of README")
    for block in blocks(follower.page):
        if block.kind == "sh":
            follower.check(Shown(block.text.strip(), ()))
        elif block.kind == "ini" and "copy = " not in block.text:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text)
        elif block.kind == "console":
            for one in shown(block.text):
                held = one.command.startswith("shoumi hold add")
                with at_work(follower) if held else contextlib.nullcontext():
                    follower.check(one)


def look(follower: Follower) -> None:
    """Look at the entries of the page: the right person, where he came from, and for whom smbd did it."""
    get_slowly(follower, "shoumi person add E2003 --name 王五")  # whoever uses an open file is asked about anew
    entries = _entries(follower, "drawings")
    for entry in (entry for entry in entries if entry["kind"] == "access" and entry["exe"] == _SMBD):
        person = _PEOPLE.get(entry["fsuid"])
        right = entry["person"] == person and entry["client"] == "127.0.0.1"
        rule = "level" if person == "E2002" else ("allow", "hold")
        right = right and entry["identity"] in ("thread", "opener") and entry["rule"] in rule
        follower.expect(right, f"entry {entry['seq']} is wrong: {entry}")
        follower.count(f"entries, {entry['identity']}")
    for what in ("thread", "opener"):
        follower.expect(follower.counts.get(f"entries, {what}"), f"no entry has the identity {what}")
    every = _entries(follower, "")
    acts = {entry.get("act"): entry["seq"] for entry in every if "E2001" in json.dumps(entry)}
    held = range(acts["hold.add"], acts["hold.lift"])
    allowed = [entry for entry in every if entry["seq"] in held and entry["kind"] == "access" and _got(entry)]
    follower.expect(not allowed, f"allowed while held: {allowed}")


def _got(entry: dict[str, Any]) -> bool:
    return (entry["person"], entry["verdict"]) == ("E2001", "allow")


def _entries(follower: Follower, area: str) -> list[dict[str, Any]]:
    """Return the entries of *area* that are not the agent's own, or all of them; the newest first."""
    words = f"--area {area} --own no" if area else "--own no"
    said = follower.own(f"shoumi log list {words} --limit 1000 --json")
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def go_on(follower: Follower) -> None:
    """Do what somebody would do next, as the page says it in words: a folder, another share, a departure."""
    own, share = follower.own, "smbclient //127.0.0.1/drawings -U zhang -c"
    own("shoumi hold add E2001 --reason 试", "is cut off")
    own(f"{share} 'mkdir made'")
    own("gpasswd --delete zhang drawings")
    own(f"{share} 'mkdir more'", REFUSED)
    own("gpasswd --add zhang drawings")
    own("shoumi hold lift E2001 --reason 试")
    another(follower, next(block for block in blocks(follower.page) if "copy = " in block.text))
    with at_work(follower):
        own("shoumi case open E2001 --last-day 2026-12-31")
        own("shoumi case approve E2001", "access is over")
    own(f"{share} ls", "NT_STATUS_ACCOUNT_DISABLED")
    receipt = own("shoumi case receipt E2001 --wait", "complete, as far as this host can see")
    follower.expect(re.search(r"Samba connections +confirmed", receipt), receipt)
    own("usermod --expiredate 1 li")  # by hand: smbd asks about it
    own("smbclient //127.0.0.1/drawings -U li -c ls", "NT_STATUS_LOGON_FAILURE")


def another(follower: Follower, block: Block) -> None:
    """Make the second share of the page; what goes with no area is refused, and of the rest ``doctor`` warns."""
    own = follower.own
    own("groupadd models && gpasswd --add li models && mkdir /srv/plans/models")
    own("chgrp models /srv/plans/models && chmod 2770 /srv/plans/models")
    file = Path("/etc/samba/smb.conf")
    first = file.read_text()
    add = "shoumi area add /srv/plans/models --name models --level internal --domain state"
    file.write_text(f"{first}\n{block.text}vfs objects = streams_xattr\n")
    refused = follower.run(add, "en")
    follower.expect(refused.code == 1 and "streams_xattr" in refused.text, f"{add}: {refused.text}")
    for section, warned in ((block.text, False), (f"{block.text}ea support = yes\n", True), (block.text, False)):
        file.write_text(f"{first}\n{section}")
        own("smbcontrol smbd reload-config")
        if "models" not in own("shoumi area list"):
            own(add, "is protected")
        said = follower.run("shoumi doctor", "en").text
        follower.expect(("ea support" in said) is warned, f"{section}shoumi doctor: {said}")
    own("shoumi grant add E2002 models --reason 试")
    own("smbclient //127.0.0.1/models -U li -c 'put /etc/hostname m.txt; get m.txt /dev/null'", "getting file")
    own("smbclient //127.0.0.1/models -U zhang -c ls", REFUSED)  # not in its group
    record = "/var/log/samba/shares.log"  # as somebody would rotate it
    own(f"mv {record} {record}.1 && smbcontrol smbd reload-config")
    own("smbclient //127.0.0.1/models -U li -c 'rename m.txt n.txt'")
    own(f"grep '|renameat|ok|' {record}", "li|127.0.0.1|models|renameat|ok|/srv/plans/models/m.txt|")
    people = {entry.get("person") for entry in _entries(follower, "models") if entry["kind"] == "access"}
    follower.expect(people == {"E2002"}, f"the log of the second share has {people}")


def _loopback() -> None:
    """Bring up the loopback of this network namespace (netdevice(7))."""
    with socket.socket() as one:
        fcntl.ioctl(one, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def main(language: str) -> None:
    """Follow the pages of *language* and print what came of it."""
    follower = Follower(language)
    try:
        _loopback()
        follow(follower)
        look(follower)
        go_on(follower)
    except Exception as error:
        follower.failures.append(
            f"{type(error).__name__}: {error}\n{''.join(traceback.format_tb(error.__traceback__))}"
        )
    finally:
        for name in ("smbd", "agent"):
            follower.end(name)
    print(json.dumps({"counts": follower.counts, "failures": follower.failures}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
