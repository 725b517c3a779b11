"""The units of systemd: how far they confine, and that nothing in them hides what the agent covers from the host."""

import subprocess
from pathlib import Path

import pytest

from agent.confinement import capabilities
from agent.confinement.process_rights import ALL, HOLDER
from agent.confinement.syscalls import GROUPS, NOBODY
from tests import needs
from tests.confinement.unit_file import DOORS, MAIN, Unit

# What makes a mount namespace, or implies what does: exec_needs_mount_namespace() of systemd, systemd.exec(5).
_NAMESPACE = (
    *("BindPaths", "BindReadOnlyPaths", "DynamicUser", "ExecPaths", "ExtensionDirectories", "ExtensionImages"),
    *("InaccessiblePaths", "LoadCredential", "LogNamespace", "MountAPIVFS", "MountFlags", "MountImages"),
    *("NetworkNamespacePath", "NoExecPaths", "PrivateDevices", "PrivateIPC", "PrivateMounts", "PrivateNetwork"),
    *("PrivateTmp", "PrivateUsers", "ProcSubset", "ProtectControlGroups", "ProtectHome", "ProtectKernelLogs"),
    *("ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "ProtectSystem", "ReadOnlyPaths"),
    *("ReadWritePaths", "RootDirectory", "RootImage", "SetCredential", "TemporaryFileSystem"),
    *("CacheDirectory", "ConfigurationDirectory", "LogsDirectory", "RuntimeDirectory", "StateDirectory"),
)

analyzed = needs.needs(needs.tools("systemd-analyze"))


@analyzed
@pytest.mark.parametrize(("unit", "most"), [(MAIN, 5.5), (DOORS, 2.0)], ids=["shoumi", "shoumi-doors"])
def test_a_unit_is_as_exposed_as_is_promised_and_no_more(unit: Path, most: float) -> None:
    words = ("--no-pager", "security", "--offline=true", f"--threshold={most * 10:.0f}", str(unit))
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1]
    assert "Overall exposure level" in done.stdout


def test_nothing_in_the_main_unit_makes_a_mount_namespace() -> None:
    assert [name for name, _ in Unit(MAIN).lines if name in _NAMESPACE] == []


def test_the_main_unit_leaves_the_capabilities_that_a_process_needs_and_no_other() -> None:
    left = Unit(MAIN).words("CapabilityBoundingSet")
    assert left == {capabilities.NAMES[number] for number in HOLDER.capabilities}
    assert left >= {capabilities.NAMES[number] for row in ALL for number in row.capabilities}


def test_the_doors_have_no_capability_and_are_nobody() -> None:
    unit = Unit(DOORS)
    assert unit.words("CapabilityBoundingSet") == set()
    assert unit.last("User") == "shoumi-doors"


@analyzed
def test_the_main_unit_denies_what_no_process_does() -> None:
    allows, denied = Unit(MAIN).calls()
    assert not allows
    assert {call for group in NOBODY for call in GROUPS[group]} <= denied
    assert not denied & {"mount", "umount2", "fanotify_init", "fanotify_mark", "unshare", "pidfd_getfd", "adjtimex"}
