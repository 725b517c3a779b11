"""What Samba keeps in attributes, or outside of an area that it serves, is found however it was written down."""

from dataclasses import replace

import pytest

from agent.volumes.planning import plan_area
from agent.volumes.samba_look import Served, served
from agent.volumes.samba_shares import (
    SambaElsewhere,
    SambaSeen,
    SambaShare,
    SambaText,
    forced,
    objections,
    read,
    shares,
    unknowns,
)
from rules.text import Message, Text
from tests.sentences import en
from tests.volumes.machine import DATA, GOOD, ROOT

PLANS = "/srv/data/plans"
QUIET = "[global]\nea support = no\n[plans]\npath = /srv/data/plans\n"


def found(text: str, **files: str) -> list[SambaShare]:
    return list(shares(read(text, files.get).sections, "smb.conf", ("/home", "/people/li")))


def keeps(*settings: str) -> tuple[str, ...]:
    [one] = found(QUIET + "\n".join(settings))
    return one.keeps


def said(text: str, path: str = PLANS) -> list[str]:
    return [en(one.text) for one in objections(SambaSeen(tuple(found(text))), path, (ROOT, DATA))]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ((), ()),
        (("vfs objects = streams_depot acl_xattr full_audit",), ()),
        (("vfs objects = catia, streams_xattr",), ("vfs objects = streams_xattr",)),
        (("VFS  Object = streams_xattr:other",), ("vfs objects = streams_xattr",)),
        (("vfs objects = \\", "   streams_xattr"), ("vfs objects = streams_xattr",)),
        (("vfs objects = fruit streams_depot",), ("fruit:metadata = netatalk",)),
        (("vfs objects = fruit streams_depot", "fruit:metadata = stream"), ()),
        (
            ("vfs objects = fruit streams_xattr", "fruit : metadata = stream", "fruit:resource = xattr"),
            ("vfs objects = streams_xattr", "fruit:resource = xattr"),
        ),
        (("ea support = yes",), ()),
        (("# vfs objects = streams_xattr",), ()),
    ],
)
def test_what_is_kept_in_attributes(settings: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert keeps(*settings) == expected


def test_extended_attributes_are_served_unless_that_was_ruled_out() -> None:
    told = {"": True, "ea support = yes": True, "EASupport = perhaps": True, "ea support = no": False}
    for line, expected in told.items():
        assert [one.settable for one in found(f"[plans]\npath = /srv/data/plans\n{line}\n")] == [expected]


def test_shares_get_what_is_set_for_all_and_what_they_copy() -> None:
    text = "[global]\nvfs objects = streams_xattr\nea support = no\n[A B]\npath=/a\n[two]\ncopy = A  b\nvfs objects =\n"
    assert [(one.name, one.paths, one.keeps) for one in found(text)] == [
        ("a b", ("/a",), ("vfs objects = streams_xattr",)),
        ("two", ("/a",), ()),
    ]


def test_included_files_are_read_and_what_leads_elsewhere_is_told() -> None:
    text = "[global]\ninclude = more\ninclude = /etc/%m.conf\ninclude = none\nconfig backend = registry\n"
    got = read(text, {"more": "ea support = no\ninclude = registry\n"}.get)
    assert (got.sections["global"], got.open) == ({"easupport": "no"}, ["include = /etc/%m.conf"])
    assert got.unresolved == ["include = registry", "config backend = registry"]
    assert read("include = self", lambda _: "include = self").unresolved == ["include = self"], "it ends"
    assert read("config backend = file\nregistry shares = no", lambda _: None).unresolved == []


def test_printers_and_shares_that_are_off_serve_nothing_and_homes_are_those_of_people() -> None:
    text = "[homes]\n[printers]\npath = /var/tmp\nprint ok = yes\n[off]\npath = /x\navailable = no\n[empty]\n"
    assert [(one.name, one.paths) for one in found(text)] == [("homes", ("/home", "/people/li"))]


@pytest.mark.parametrize(
    ("path", "objected"),
    [
        ("/srv/data/plans", True),
        ("/srv/data/plans/part", True),
        ("/srv", True),
        ("/", True),
        ("/srv/data/plansx", False),
        ("/srv/data/drawings", False),
        ("/srv/%U/plans", True),  # may become any of those below /srv
        ("/srv/data/drawings/%U", False),
    ],
)
def test_a_share_at_above_or_below_an_area_counts(path: str, objected: bool) -> None:
    text = f"[one]\npath = {path}\nvfs objects = streams_xattr\n"
    assert bool(said(text)) is objected
    if objected:
        [reason] = said(text)
        assert "`one` (`smb.conf`)" in reason
        assert "(`vfs objects = streams_xattr`)" in reason


def test_a_share_that_follows_links_anywhere_serves_everything() -> None:
    assert said("[one]\npath = /other\nvfs objects = streams_xattr\nwide links = yes\n")
    assert not said("[one]\npath = /other\nvfs objects = streams_xattr\nwide links = no\n")


def test_a_share_of_another_mount_of_the_same_directory_counts() -> None:
    bound = replace(DATA, id=3, parent=1, point="/export", root="/plans")
    text = "[one]\npath = /export\nvfs objects = streams_xattr\n"
    assert not said(text)
    assert [*objections(SambaSeen(tuple(found(text))), PLANS, (ROOT, DATA, bound))]


@pytest.mark.parametrize(
    ("settings", "outside"),
    [
        ("path = /srv/data/plans", False),
        ("path = /srv/data/plans/part/%U", False),
        ("path = /srv/data", True),
        ("path = /srv/data\nstreams_depot:directory = /srv/data/plans/.streams", False),
        ("path = /srv/data/plans\nstreams_depot:directory = /var/lib/streams", True),
        ("path = /srv/data/plans\nstreams_depot:directory = /srv/data/%U", True),
        ("path = /srv/data/plans\nstreams_depot:directory = below", True),
    ],
)
def test_streams_that_are_files_have_to_lie_in_the_area(settings: str, outside: bool) -> None:
    text = f"[one]\n{settings}\nvfs objects = streams_depot\nea support = no\n"
    assert [("outside it, in" in reason) for reason in said(text)] == [True] * outside


def test_a_share_where_everybody_is_one_account_is_told_and_not_refused() -> None:
    text = QUIET + "force user = zhang\n"
    [reason] = forced(SambaSeen(tuple(found(text))), PLANS, (ROOT, DATA))
    assert "`plans` (`smb.conf`) maps all users to `zhang`" in en(reason.text)
    assert not said(text)
    assert not [*forced(SambaSeen(tuple(found(text))), "/srv/data/drawings", (ROOT, DATA))]


def test_an_area_that_is_there_is_closed_by_what_is_known_and_not_by_what_is_unknown() -> None:
    """As with exports; that something is unknown is said by ``doctor``."""
    unknown = SambaSeen(elsewhere=(SambaElsewhere(7, frozenset({DATA.device})),), unknown=(Text("a", "甲"),))
    assert plan_area(replace(GOOD, samba=unknown, already_area=True))
    assert [*unknowns(unknown, DATA.device)][1] == Message("volumes.smbd-in-other-root", pid=7)
    assert [en(why) for why in unknowns(unknown, ROOT.device)] == ["a"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("smbd -F", Served("")),
        ("smbd -D -s /a -i", Served("/a")),
        ("smbd -Fs/a", Served("/a")),
        ("smbd -d3 -l /var/log/s -s /a", Served("/a")),
        ("smbd --configfile=/a --option=ea support=yes", Served("/a", ("ea support=yes",))),
        ("smbd --configfile /a --option x=y", Served("/a", ("x=y",))),
    ],
)
def test_what_a_server_reads_stands_in_its_command_line(words: str, expected: Served) -> None:
    argv = words.replace("ea support", "ea\0support").split()
    assert served([word.replace("\0", " ") for word in argv]) == expected
    assert served(["smbd", "-F"], ["A=b", "SMB_CONF_PATH=/c"]) == Served("/c")


def test_nothing_of_a_text_raises() -> None:
    assert read("[\n]\n=\n[x\ny\n\\", lambda _: None).sections.keys() >= {"global", "x"}
    assert SambaText().now == "global"
