"""Which functions of the product read what came from elsewhere: found by what they call, and by their names.

Rules of this file: what is found is fuzzed (:mod:`tests.fuzz.table`), or stands below with the reason why not.
"""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from tests import ROOT
from tests.fuzz.table import PARSERS

_CALLS = {
    ("json", "loads"), ("json", "load"), ("tomllib", "loads"), ("csv", "reader"), ("csv", "DictReader"),
    ("jwt", "decode"), ("jwt", "decode_complete"), ("msgspec", "convert"),
}  # fmt: skip
_METHODS = {
    "unpack", "unpack_from", "iter_unpack", "from_bytes", "urlsafe_b64decode", "b64decode", "base64url_decode",
    "from_json", "Decoder",
}  # fmt: skip
_NAMES = ("parse", "decode", "from_json")
_NOT_THE_PRODUCT = ("agent/demo", "agent/simulator")

_KERNEL = "a structure of fixed size that the kernel fills: of another size it is an error of the call"
_AGENT = "the agent's own answer, read by its own client on this host"
_VERIFIER = "what the verifier, a child of the agent, says of the log"
_STORED = "a column that the same program wrote: `tests/registry/test_damage.py` has damaged files"

NOT_FUZZED: dict[str, str] = {
    "agent.api.client:AgentClient._answer": _AGENT,
    "agent.api.findings:Finding.from_json": _AGENT,
    "agent.errors:ShoumiError.from_json": _AGENT,
    "agent.api.peers:_groups": _KERNEL,
    "agent.api.peers:credentials": _KERNEL,
    "agent.cli.context:findings": _AGENT,
    "agent.control.handlers.log:_growing": "the line of the index, which `log-entry` has read",
    "agent.control.handlers.losses:_act_args": "the argument of an act that only the agent itself calls",
    "agent.control.handlers.proposals:_add": "the arguments of an act, as `request` has read them",
    "agent.control.trial_end:proven": "a line of the record; one that is damaged is passed over",
    "agent.doors.__main__:_connected": _KERNEL,
    "agent.registry.changed:_read": "an object that SQLite made of a row (json_object)",
    "agent.rooms.field.unit:FieldUnit._accepted": _KERNEL,
    "agent.runtime.room:in_place": _KERNEL,
    "agent.runtime.wal_index:_page_size": "two bytes of a database that SQLite has opened",
    "agent.control.offboarding.hr_reply:payload_of": "the agent's own receipt: `receipt` judges others",
    "agent.doors.uhppote.listener:Listener.datagram_received": "two numbers of 64 bytes, or nothing",
    "agent.guard.heartbeat:Heartbeat._read": "two numbers of fixed size in memory that the holder made",
    "agent.guard.label_worker:_answer_one": "what the decider has written, by `worker-question`",
    "agent.guard.turns:_numbers": "numbers of fixed size of the agent's own processes",
    "agent.kernel.file_handle:handle_of": _KERNEL,
    "agent.kernel.loop_device:devices": _KERNEL,
    "agent.kernel.newborn:_birth": _KERNEL,
    "agent.kernel.subject:_uids_of_info": _KERNEL,
    "agent.log.search:LogRow.entry": "a line of the index, which `log-entry` has read",
    "agent.log.verifier_supervisor:VerifierSupervisor.serve": _VERIFIER,
    "agent.log.verifier_supervisor:once": _VERIFIER,
    "agent.offboard.context:RevocationSubject.from_json": _STORED,
    "agent.offboard.deny_entries:_read": _STORED,
    "agent.offboard.intake.store:_notice": _STORED,
    "agent.offboard.journal:RevocationJournal._begin": _STORED,
    "agent.offboard.journal:RevocationJournal.runs": _STORED,
    "agent.offboard.journal:_journaled_step": _STORED,
    "agent.offboard.journal:detail_from_json": _STORED,
    "agent.offboard.receipt.keyring:KeyRing.public_of": "one member; whatever is wrong with it is the present key",
    "agent.offboard.receipt.receipt:_news": "a receipt that the agent has kept: `receipt` judges those of others",
    "agent.offboard.steps.acl:_Owners._open": "lines that this step has written; one that is broken is no line",
    "agent.offboard.steps.raised:started_by": _KERNEL,
    "agent.registry.queries.connection:<module>": _STORED,
    "agent.registry.rows.areas:_volume": _STORED,
    "agent.runtime.pack_cache:PackCache.parsed": "the pack, by `pack`",
    "tui.agent:AgentSession._accompany": _AGENT,
    "tui.screens.home:HomeScreen.load": _AGENT,
}


@functools.cache
def found() -> frozenset[str]:
    """Return the functions that read something, as ``module:function``."""
    return frozenset(_found())


def _found() -> Iterator[str]:
    for top in ("agent", "rules", "tui"):
        for file in sorted((ROOT / top).rglob("*.py")):
            path = file.relative_to(ROOT)
            if not str(path).startswith(_NOT_THE_PRODUCT):
                names = sorted(set(_readers(ast.parse(file.read_text(encoding="utf-8")))))
                yield from (f"{'.'.join(Path(path).with_suffix('').parts)}:{name}" for name in names)


def _readers(node: ast.AST, name: str = "") -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        inner = name
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{name}.{child.name}".lstrip(".")
        if isinstance(child, ast.FunctionDef) and child.name.startswith(_NAMES):
            yield inner
        if isinstance(child, ast.Attribute) and (
            child.attr in _METHODS or (isinstance(child.value, ast.Name) and (child.value.id, child.attr) in _CALLS)
        ):
            yield inner or "<module>"
        yield from _readers(child, inner)


def fuzzed() -> set[str]:
    """Return the functions that a parser of the table covers."""
    return {name for parser in PARSERS.values() for name in parser.covers}
