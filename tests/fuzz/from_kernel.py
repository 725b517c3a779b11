"""Parsers of what the kernel and tools of the host say, in which people choose names: /proc, events, ACLs, Samba."""

from typing import Any

from agent.errors import FatalError
from agent.guard import worker_packets
from agent.guard.openers import ServerLook
from agent.guard.placing import Placement
from agent.kernel import fanotify, kernel_holders, login_identity, mountinfo, ring_tables, task_identity
from agent.offboard.steps import acl_bytes, samba_status
from agent.volumes import probe, samba_shares, survey
from tests.fuzz.parser import Parser, in_text

_MOUNTS = (
    (
        b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
        b"37 36 0:5 / /srv/a\\040b ro shared:7 - tmpfs tmp\\134fs rw\n"
    ),
    b"1 1 8:1 / / rw - ext4 /dev/vda1 rw\n",
)
_STATUS = (
    (
        b"Name:\tsmbd\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t100\nUid:\t1000\t1000\t0\t1000\n"
        b"Gid:\t0\t0\t0\t0\nGroups:\t4 24 \nCapEff:\t000001ffffffffff\n"
    ),
)
_SMB = (
    (
        b'{"timestamp":"x","version":"4.17",'
        b'"sessions":{"1":{"session_id":"1","server_id":{"pid":"10"},"uid":61001}},'
        b'"tcons":{"2":{"service":"plans","server_id":{"pid":"10"},"tcon_id":"2","session_id":"1"}},'
        b'"open_files":{"/srv/a":{"service_path":"/srv","filename":"a",'
        b'"opens":{"1/2":{"server_id":{"pid":"10"},"uid":61001}}}}}'
    ),
)
_CONF = (
    (
        b"[global]\n  workgroup = X\n  include = /etc/more.conf\n# comment\n"
        b"[plans]\n path = /srv/plans\n vfs objects = acl_xattr \\\n streams_xattr\n"
    ),
    b"[homes]\n;x\n[p]\ncopy = plans\nconfig backend = registry\nadmin users = @x, y\n",
)


def _events(data: bytes) -> Any:
    found = fanotify.events(data)
    assert len(found) <= len(data) // fanotify.METADATA_LENGTH
    return found, fanotify.reads(data)


def _status(data: bytes) -> Any:
    try:
        return [task_identity.field(data, name) for name in (b"State", b"Uid", b"CapEff")]
    except KeyError:
        return None


def _mounts(data: bytes) -> Any:
    table = mountinfo.parse(data)
    tree = table.tree
    return [
        (tree.resolve(row.point), row.inner("/srv/x"), row.outer("/x"), mountinfo.siblings(row, table)) for row in table
    ]


def _same_acl(data: bytes, found: acl_bytes.Acl) -> None:
    assert sorted(acl_bytes.parse(acl_bytes.render(found))) == sorted(found)
    for denied in (acl_bytes.deny(found, (61_001,)),):
        assert acl_bytes.denies(denied, (61_001,))
    assert len(found) * 8 + 4 == len(data)


def _conf(text: str) -> Any:
    said = samba_shares.read(text, lambda _: text[:50])
    return list(samba_shares.shares(said.sections, "x", ("/home/a",)))


_PLACED = worker_packets.answer(7, Placement(0, "plans", "notes", True, 65_024, 12, 99, False, False, False, False))
_LOOKED = worker_packets.answer(8, ServerLook(frozenset((3, 4)), frozenset((100,)), complete=True))

PARSERS = (
    Parser(
        "fanotify",
        "the kernel",
        ("agent.kernel.fanotify:events", "agent.kernel.fanotify:reads"),
        _events,
        (FatalError,),
        (
            fanotify._METADATA.pack(24, 3, 0, 24, 1, 5, 100) * 3,
            fanotify._METADATA.pack(32, 3, 0, 24, 1, -1, 100) + bytes(8),
        ),
    ),
    Parser(
        "mountinfo",
        "whoever mounts, in any namespace",
        ("agent.kernel.mountinfo:parse",),
        _mounts,
        (ValueError,),
        _MOUNTS,
    ),
    Parser("task-status", "any process", (), _status, (), _STATUS),
    Parser(
        "ring-table",
        "any process: it chooses the names",
        ("agent.kernel.ring_tables:parse_table",),
        lambda data: [ring_tables.parse_table(data, paths=paths) for paths in (True, False)],
        (),
        (b"pos:\t0\nUserFiles:\t2\n    0: /srv/plans/a\n    1: pipe:[7]\nUserBufs:\t1\n", b"UserFiles:\t0\n"),
    ),
    Parser(
        "audit-feature",
        "the kernel",
        ("agent.kernel.login_identity:read",),
        login_identity.read,
        (),
        (
            login_identity._HEADER.pack(32, login_identity._GET_FEATURE, 0, 1, 0)
            + login_identity._FEATURES.pack(1, 1, 1, 1),
        ),
    ),
    Parser(
        "swaps",
        "the kernel",
        (),
        lambda data: list(kernel_holders.swap_files(data)),
        (),
        (b"Filename Type Size Used Priority\n/dev/dm-1 partition 1 0 -2\n/srv/a\\040b file 1 0 -3\n",),
    ),
    Parser(
        "watches",
        "any process",
        (),
        in_text(lambda text: list(kernel_holders.watched(text))),
        (),
        (b"pos:\t0\nflags:\t02\ninotify wd:1 ino:2 sdev:fd00001 mask:2 ignored_mask:0 fhandle-bytes:8\n",),
    ),
    Parser(
        "acl",
        "whoever owns a file",
        ("agent.offboard.steps.acl_bytes:parse",),
        acl_bytes.parse,
        (ValueError,),
        (
            acl_bytes.render(acl_bytes.of_mode(0o640)),
            acl_bytes.render(acl_bytes.deny(acl_bytes.of_mode(0o755), (61_001, 61_002))),
        ),
        _same_acl,
    ),
    Parser(
        "smbstatus",
        "users of shares, in names",
        ("agent.offboard.steps.samba_status:parse",),
        in_text(samba_status.parse),
        (ValueError,),
        _SMB,
    ),
    Parser("smb-conf", "the administrator of Samba", (), in_text(_conf), (), _CONF),
    Parser(
        "exports",
        "the administrator of NFS",
        (),
        survey.exported_paths,
        (),
        (b'/srv/a 10.0.0.0/8(rw)\n"/srv/b c" *(ro)\n/srv/\\040d \\\n x\n#\n',),
    ),
    Parser("ksmbd-conf", "the administrator of ksmbd", (), survey.ksmbd_paths, (), (b"[x]\n path = /srv/x \n",)),
    Parser(
        "worker-question",
        "the decider",
        ("agent.guard.worker_packets:parse_question",),
        worker_packets.parse_question,
        (ValueError, worker_packets.struct.error),
        (worker_packets.question(1, worker_packets.Kind.PLACE, 100),),
    ),
    Parser(
        "worker-inodes",
        "the decider",
        ("agent.guard.worker_packets:parse_inodes",),
        worker_packets.parse_inodes,
        (worker_packets.struct.error,),
        (worker_packets.inodes(((65_024, 12),)),),
    ),
    Parser(
        "worker-answer",
        "the label worker",
        ("agent.guard.worker_packets:parse_answer",),
        worker_packets.parse_answer,
        (ValueError, worker_packets.struct.error),
        (_PLACED, _LOOKED),
    ),
    Parser(
        "probe",
        "the probing process",
        ("agent.volumes.probe:parse",),
        lambda data: probe.parse("/srv/x", data, "silent"),
        (),
        (b'["open",true,""]\n["read",false,"why"]\n',),
    ),
)
