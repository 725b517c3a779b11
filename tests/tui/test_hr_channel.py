"""The first screen says what troubles the channel from the personnel system, and no more when break-glass ended."""

import json
from pathlib import Path

import pytest

from agent.offboard.intake import pinned_keys
from agent.simulator import hr_sender
from tests.control.offboarding.test_hr_channel import send
from tests.control.offboarding.test_hr_intake import until
from tests.control.site import Site
from tests.tui.kit import Walk, journey
from tui.screens import home as home_screen


def test_the_first_screen_says_what_troubles_the_channel(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_screen, "_SELDOM", 1)
    made = hr_sender.make_keys(tmp_path / "keys", audience="urn:shoumi:agent:test", iss="https://hr.example")
    home = site.home.root
    pinned_keys.path(home).write_bytes(made.read_bytes())
    site.stop_control()
    config = site.home.config
    config.write_text(config.read_text().replace("hr_silence_seconds = 0.0", "hr_silence_seconds = 2"))
    site.start_control()
    until((home / "spool" / "new").is_dir)
    twice = json.loads(made.read_text())
    twice["keys"] *= 2

    async def walk(t: Walk) -> None:
        await t.sees("no token from the personnel system since its keys were pinned")
        nobody = {"format": "email", "email": "a@b.example"}
        send(site, tmp_path / "keys", "urn:ietf:params:scim:event:prov:delete", sub_id=nobody)
        await t.sees("1 notice of the personnel system waits in quarantine")
        await t.sees("was not carried out: this site has no person with this name or number")
        hr_sender.drop(home / "spool" / "new", "forged", "x")
        await t.sees("the notice `x.set` of the personnel system was not carried out")
        pinned_keys.path(home).write_text(json.dumps(twice))
        await t.sees("notices of the personnel system cannot be accepted", "occurs twice")
        pinned_keys.path(home).write_bytes(made.read_bytes())
        await t.sees_no("notices of the personnel system cannot be accepted")

    journey(site, walk, size=(220, 50))
