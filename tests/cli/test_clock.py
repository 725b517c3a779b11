"""A clock that was set back: said by `status` and `doctor`, and judged by again on an officer's word."""

import json

from tests.control.site import Site


def test_a_clock_that_was_set_back_is_told_until_an_officer_accepts_it(site: Site, shoumi) -> None:
    refused = shoumi("clock", "accept", "--reason", "x")
    assert refused.code == 1
    assert "verdicts already use the system clock" in refused.err
    site.tell_peer("behind 3600")
    assert "was set back" in shoumi("status").out
    assert "1:00:00 ahead of it" in shoumi("status").out
    assert "系统时钟被拨回" in shoumi("status", language="zh").out
    doctor = shoumi("doctor")
    assert "was set back" in doctor.out
    assert "shoumi clock accept" in doctor.out
    assert shoumi("clock", "accept").code == 2  # why?
    done = shoumi("clock", "accept", "--reason", "读过电台时间")
    assert (done.code, done.err) == (0, "")
    assert "3600 s earlier" in done.out
    assert "set back" not in shoumi("status").out
    assert json.loads(shoumi("status", "--json").out)["clock"] is None
    entry = site.entries(kind="act", act="clock.accept", outcome="done")[0]
    assert entry["args"]["reason"] == "读过电台时间"
    assert entry["args"]["behind"] == 3600
