"""A made-up machine with a data volume, and a directory on it that can be protected."""

from agent.kernel.mountinfo import Mount
from agent.volumes.facts import MachinePath, VolumeFacts

RW = frozenset({"rw"})
ROOT = Mount(1, 0, (8, 1), "/", "/", RW, (), "ext4", "/dev/sda1", RW)
DATA = Mount(2, 1, (8, 2), "/", "/srv/data", RW, (), "ext4", "/dev/sdb1", RW)
GOOD = VolumeFacts(
    requested="/srv/data/plans",
    path="/srv/data/plans",
    st_dev=2050,
    mount=DATA,
    mounts=(ROOT, DATA),
    labels=True,
    vital=(
        MachinePath("/var/lib/shoumi", (8, 1), "home"),
        MachinePath("/usr/lib/python3", (8, 1), "python"),
        MachinePath("/", (8, 1), "system"),
        MachinePath("/run", (0, 20), "system"),
    ),
    busy=(MachinePath("/home", (8, 3), "busy"),),
    areas=(("drawings", "/srv/data/drawings"),),
)
