"""What can be protected soundly is protected; everything else is refused with its reason and a way out."""

import errno
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kernel.labels import HardLink, LabelReport
from agent.kernel.walk import WalkFailure
from agent.volumes import planning, survey
from agent.volumes.facts import MachinePath, PathHolder, UnprotectableError, VolumeFacts
from agent.volumes.planning import AreaPlan, plan_area
from agent.volumes.refusals import RULES
from agent.volumes.samba_shares import SambaSeen, SambaShare
from rules.text import Text
from tests.sentences import en, zh
from tests.volumes.machine import DATA, GOOD, ROOT


def on(fstype: str, device: tuple[int, int] = (8, 2), **changed: object) -> VolumeFacts:
    mount = replace(DATA, fstype=fstype, device=device, **changed)  # type: ignore[arg-type]
    return replace(GOOD, mount=mount, mounts=(ROOT, mount))


BAD = {
    "missing": replace(GOOD, error=errno.ENOENT, mount=None),
    "not-a-directory": replace(GOOD, error=errno.ENOTDIR, mount=None),
    "unreachable": replace(GOOD, error=errno.EACCES, mount=None),
    "link": replace(GOOD, requested="/srv/plans"),
    "vital-path": replace(GOOD, vital=(MachinePath("/srv/data/plans/agent", (8, 2), "home"),)),
    "vital-path (inside)": replace(GOOD, vital=(MachinePath("/srv/data", (8, 2), "program"),)),
    "vital-filesystem": replace(GOOD, vital=(MachinePath("/var/log", (8, 2), "system"),)),
    "network": on("nfs4", (0, 50)),
    "network (fuse)": on("fuse.sshfs", (0, 50)),
    "network (fuse on a disk)": on("fuseblk"),
    "network (cluster)": on("ocfs2"),
    "overlay": on("overlay", (0, 50)),
    "pseudo": on("proc", (0, 50)),
    "pseudo (unknown)": on("frobfs", (0, 50)),
    "exported": replace(GOOD, exports=(("/srv/data", "NFS"),)),
    "exported (inside)": replace(GOOD, exports=(("/srv/data/plans/a", "ksmbd"),)),
    "streams": replace(
        GOOD, samba=SambaSeen((SambaShare("all", "smb.conf", ("/srv",), ("vfs objects = streams_xattr",)),))
    ),
    "samba-unknown": replace(GOOD, samba=SambaSeen(unknown=(Text("`smb.conf`: cannot be read", "无法读取"),))),
    "overlap": replace(GOOD, areas=(("all", "/srv/data"),)),
    "overlap (inside)": replace(GOOD, areas=(("part", "/srv/data/plans/part"),)),
    "mounted-inside": replace(GOOD, mounts=(ROOT, DATA, replace(DATA, id=3, parent=2, point="/srv/data/plans/usb"))),
    "read-only": on("ext4", super_options=frozenset({"ro"})),
    "no-labels": replace(GOOD, labels=False),
    "unread": replace(
        GOOD, survey=LabelReport(trouble_count=1, troubles=(WalkFailure("/srv/data/plans/x", errno.EIO),))
    ),
}


def test_a_directory_of_a_data_volume_is_planned_without_a_word() -> None:
    assert plan_area(GOOD) == AreaPlan("/srv/data/plans", "/plans", (8, 2), 2050, "ext4", "dedicated")


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_protected_is_refused_with_reason_and_hint(name: str) -> None:
    with pytest.raises(UnprotectableError) as refused:
        plan_area(BAD[name])
    assert refused.value.reason == name.partition(" ")[0]
    for text in filter(None, (refused.value.text, refused.value.hint)):
        assert en(text)[0] in "`0123456789" or en(text)[0].islower()
        assert not en(text).endswith(".")
        assert any("\u4e00" <= character <= "\u9fff" for character in zh(text))


def test_every_rule_has_a_case_here() -> None:
    spoken = {next(rule for rule in RULES if rule(facts)) for facts in BAD.values()}
    assert spoken == set(RULES)


@given(st.sampled_from(sorted(BAD)), st.sampled_from(["dedicated", "shared", None]), st.booleans())
def test_no_option_of_the_officer_overrides_a_refusal(name: str, sharing: planning.Sharing | None, links: bool) -> None:
    with pytest.raises(UnprotectableError):
        plan_area(BAD[name], sharing=sharing, accept_links=links)


def test_foreign_names_in_a_refusal_are_made_visible() -> None:
    with pytest.raises(UnprotectableError) as refused:
        plan_area(replace(GOOD, error=errno.ENOENT, requested="/srv/\x1b[2J\u202e"))
    assert "\\x1b[2J\\u202e" in en(refused.value.text)


def test_a_filesystem_people_work_on_is_shared() -> None:
    facts = replace(GOOD, busy=(MachinePath("/home", (8, 2), "busy"),))
    plan = plan_area(facts)
    assert plan.sharing == "shared"
    assert [notice.code for notice in plan.notices] == ["shared"]
    assert plan_area(facts, sharing="dedicated").dedicated


def test_a_filesystem_with_a_bound_area_stays_shared() -> None:
    bound = replace(DATA, id=3, parent=2, point="/srv/data/drawings", root="/drawings")
    assert plan_area(replace(GOOD, mounts=(ROOT, DATA, bound))).sharing == "shared"


def test_links_leading_out_are_refused_on_a_shared_filesystem_only() -> None:
    facts = replace(GOOD, survey=LabelReport(link_count=1, links=(HardLink("/srv/data/plans/a", 1, 2),)))
    assert [notice.code for notice in plan_area(facts).notices] == ["links"]
    with pytest.raises(UnprotectableError) as refused:
        plan_area(facts, sharing="shared")
    assert refused.value.reason == "links"
    accepted = plan_area(facts, sharing="shared", accept_links=True)
    assert [notice.code for notice in accepted.notices] == ["links", "shared"]


def test_what_was_open_before_is_told() -> None:
    facts = replace(GOOD, holders=(PathHolder(42, "vi\x1b", "open", "/srv/data/plans/a"),), unseen=3)
    held, unseen = plan_area(facts).notices
    assert (held.code, unseen.code) == ("held", "unseen")
    assert "42 `vi\\x1b`" in en(held.text)


def test_export_tables_are_read_with_quotes_escapes_and_comments() -> None:
    text = b'# /no\n/srv/a *(rw)\n"/srv/b c" host\n/srv/d\\040e 10.0.0.0/8(ro)\n\n/srv/f/ \\\n  host(rw)\nrubbish\n'
    assert survey.exported_paths(text) == ("/srv/a", "/srv/b c", "/srv/d e", "/srv/f")
    assert survey.ksmbd_paths(b"[x]\n\tpath = /srv/x y \n; path = /no\npath=/z\n") == ("/srv/x y", "/z")


def test_every_way_to_an_area_is_a_door() -> None:
    bound = replace(DATA, id=3, parent=2, point="/srv/data/plans", root="/plans")
    alias = replace(DATA, id=4, parent=1, point="/mnt")
    part = replace(DATA, id=5, parent=1, point="/export/part", root="/plans/part")
    beside = replace(DATA, id=6, parent=1, point="/opt/tools", root="/tools")
    rows = (ROOT, DATA, bound, alias, part, beside)
    plan = AreaPlan("/srv/data/plans", "/plans", (8, 2), 2050, "ext4", "shared")
    assert planning.doors(plan, rows) == ("/srv/data/plans", "/mnt/plans", "/export/part")
    assert "/opt/tools" in planning.doors(replace(plan, sharing="dedicated"), rows)
