"""Looking for inputs that break a law: every law and every fuzzer of bytes, with many examples and a new seed a round.

A round is one group of tests with one seed. A failing example is printed by hypothesis with what reproduces it; it
becomes an ``@example`` of its law and stays.
"""

import re

from tests.long import suite
from tests.long.rounds import Part, Run

GROUPS: dict[str, tuple[str, ...]] = {
    "parsers": ("tests/fuzz/test_parsers.py",),
    "rules": tuple(f"tests/rules/laws/test_{name}.py" for name in ("grants", "level", "persons", "stop")),
    "time": tuple(f"tests/rules/laws/test_{name}.py" for name in ("until", "total", "rooms")),
    "packs": ("tests/rules/pack/test_fuzz.py",),
    "offboarding": ("tests/rules/offboarding/test_laws.py", "tests/offboard/test_plan.py"),
    "tokens": ("tests/offboard/intake/test_token_fuzz.py",),
    "doors": ("tests/doors/osdp", "tests/doors/test_link.py"),
    "panel": ("tests/rooms/panel",),
    "protocol": ("tests/api/test_protocol.py", "tests/api/test_timestamps.py", "tests/kernel/test_fanotify.py"),
    "log": ("tests/log/test_entry.py", "tests/log/test_batch_check.py", "tests/log/test_pass.py",
            "tests/log/test_room_stays.py", "tests/log/test_search.py"),
}  # fmt: skip
_ROUND_SECONDS = 1_800.0
_SHORT_ROUND = 30.0  # in the short form a round that is not through by then is ended: it found nothing that far


def run(run: Run) -> None:
    """Try the groups in turn, each time with another seed."""
    names = list(GROUPS)
    for number in run.rounds(need=5.0):
        name = names[(number + run.chance(0).randrange(len(names))) % len(names)]
        seed = run.chance(number).randrange(1 << 32)
        _try(run, name, seed)


def _try(run: Run, name: str, seed: int) -> None:
    limit = min(_SHORT_ROUND if run.short else _ROUND_SECONDS, run.seconds_left)
    words = ("-m", "hypothesis", "--hypothesis-profile=search", f"--hypothesis-seed={seed}", *GROUPS[name])
    code, said = suite.run(limit, *words)
    if code is None:
        run.count("rounds ended by the clock")
    elif code:
        (run.folder / f"{name}-{seed}.txt").write_text(said, encoding="utf-8")
        run.fail(f"{name} with seed {seed}: exit {code}\n{said[-1500:]}")
        run.say(said)
    for passed in re.findall(r"(\d+) passed", said):
        run.count("laws", int(passed))
    run.state.notes.append(f"{name}: seed {seed}")


PART = Part("fuzz", "new examples for laws and byte fuzzers", run, rounds=90, short=4)
