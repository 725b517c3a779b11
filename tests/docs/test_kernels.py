"""``docs/kernels.md`` says what was seen in every kernel, and what was seen is what is promised."""

import json

import pytest

from rules.tiers import Use, cuts
from tests.docs import kernels
from tests.docs.kernels import RECORD, wrong
from tests.long.kernel_packages import SUITES

SEEN = json.loads(RECORD.read_text(encoding="utf-8"))


def test_every_kernel_was_run_and_every_check_held() -> None:
    assert list(SEEN) == list(SUITES)
    assert wrong(SEEN) == []


@pytest.mark.parametrize("series", SEEN)
def test_what_was_cut_is_what_the_tier_promises(series: str) -> None:
    seen = SEEN[series]
    assert seen["cuts"] == {use: "refused" if cuts(seen["tier"], use) else "ended" for use in Use}
    assert seen["kernel"].split("-")[0].split("+")[0] in seen["package"]


def test_a_check_that_did_not_hold_and_a_kernel_that_was_not_run_are_found() -> None:
    first, *others = SEEN
    broken = {name: SEEN[name] for name in others}
    broken[others[0]] = {**SEEN[others[0]], "checks": {**SEEN[others[0]]["checks"], "kill": "failed"}}
    assert wrong(broken) == [f"{first}: not run", f"{others[0]}: kill failed"]
    assert kernels.page("made")
