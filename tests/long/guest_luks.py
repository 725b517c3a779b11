"""Run in a guest, as root: a LUKS volume is made, attached, published, guarded, hidden, and comes back with the agent.

Never run on a machine whose device mapper somebody needs. It says ``CHECK name ok|failed what was seen`` as it goes and
ends with 0 only when all of it held: ``python -m tests.long.guest_luks [--short]``.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from agent.api.client import AgentClient
from agent.demo import stage as demo_stage
from agent.demo.actors import UNSET, ActorIdentity, attempt, reading
from agent.demo.shared import wait_until
from agent.demo.stage import DemoStage, stage
from agent.disks import creation, luks
from agent.kernel import loop_device
from agent.volumes import probe
from tests.long.guest_seen import SLOW, Checks

_CLEARED, _NOBODY = ActorIdentity(61_011, UNSET), ActorIdentity(61_012, UNSET)
_SIZE = 64 << 20


class Encrypted:
    """One volume in a container, for an agent on a site of its own."""

    def __init__(self, site: DemoStage, checks: Checks) -> None:
        assert site.volume is not None
        self.site = site
        self.checks = checks
        self.image, self.key, self.point = (site.volume.folder / name for name in ("disk", "key", "secret"))
        self.uuid = ""
        self.document = self.point / "plans" / "doc.txt"

    def make(self) -> None:
        self.point.mkdir()
        self.key.touch(mode=0o400)
        self.key.write_bytes(os.urandom(64))
        made = creation.make(creation.plan(str(self.image), "ext4", _SIZE, encrypted=True, key=str(self.key)))
        self.uuid = made.uuid
        plain = subprocess.run(
            ["blkid", "-p", "-s", "TYPE", "-o", "value", str(self.image)], capture_output=True, check=True
        )
        self.checks.check("made", held=plain.stdout.strip() == b"crypto_LUKS" and self._closed(), seen=made)

    def act(self, op: str, **args: Any) -> dict[str, Any]:
        """Do an act, and return what came of it."""
        with AgentClient(self.site.home, timeout=SLOW) as agent:
            done = agent.call(op, **args)
            [outcome] = agent.stream("volume.outcome", point=str(self.point), at=done["at"])
            return dict(outcome)

    def attach(self, name: str, key: Path | None = None) -> None:
        args = {"luks_key": str(key)} if key else {}
        found = self.act("volume.attach", device=str(self.image), at=str(self.point), uuid=self.uuid, **args)
        right = found["state"] == "attached" if key else "disks.key-required" in str(found["error"])
        self.checks.check(name, held=right and os.listdir(self.point) == [], seen=found)

    def publish(self, name: str, state: str) -> None:
        found = self.act("volume.publish", volume=str(self.point))
        self.checks.check(name, held=found["state"] == state, seen=found)

    def protect(self) -> None:
        """Make an area with a document on the published volume, and somebody who may read it."""
        self.document.parent.mkdir()
        self.document.parent.chmod(0o777)
        self.document.write_text("机密")
        self.document.chmod(0o666)
        with AgentClient(self.site.home, timeout=SLOW) as agent:
            agent.call("area.add", path=str(self.document.parent), name="plans", level="secret", domain="state")
            agent.call("person.add", person="E1", level=["secret"], domain="state", account=[_CLEARED.uid])
            agent.call("grant.add", person="E1", area="plans", reason="项目甲")

    def guarded(self, name: str) -> None:
        inside = wait_until(lambda: attempt(_CLEARED, reading(self.document), SLOW).allowed, SLOW)
        error = attempt(_NOBODY, reading(self.document), SLOW).error
        self.checks.check(name, held=inside and error == "EPERM", seen=error)

    def hide(self, name: str) -> None:
        found = self.act("volume.hide", point=str(self.point))
        held = found["free"] and self._closed() and attempt(_NOBODY, reading(self.document), SLOW).error == "ENOENT"
        self.checks.check(name, held=held, seen=found)

    def again(self, name: str) -> None:
        """Start the agent again; its volume is mounted by nobody else."""
        self.site.stop()
        subprocess.run(["umount", "-A", "--recursive", str(self.point)], check=False)
        self.site.start()
        self.guarded(name)

    def _closed(self) -> bool:
        return luks.node_of(self.uuid) is None and loop_device.of_image(str(self.image)) is None


def main(argv: list[str]) -> int:
    """Make all checks; 0: each held."""
    demo_stage.START_SECONDS, probe.SECONDS = SLOW, int(SLOW)
    subprocess.run(["modprobe", "dm_crypt"], check=True)
    checks = Checks()
    with checks.guarded("site"), stage(settings=("heartbeat_seconds = 120",)) as site:
        made = Encrypted(site, checks)
        with checks.guarded("made"):
            made.make()
        site.start()
        with checks.guarded("volume"):
            if "--short" not in argv:
                made.attach("without a key")
            made.attach("attached", made.key)
            made.publish("published", "published")
            made.protect()
            made.guarded("guarded")
            made.hide("hidden")
            if "--short" not in argv:
                made.publish("published again", "guarded")
                made.guarded("guarded again")
                made.again("after a start")
                made.hide("hidden again")
    return int("failed" in checks.result["checks"].values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
