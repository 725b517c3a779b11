"""Operations on volumes: disks that the agent mounts, marks before any process sees them, and releases.

All but the list are the system administrator's. Publishing shows nothing that is not guarded; hiding takes access away.
"""

from agent.api.operations.schema import ANY, SYSTEM, Operation, Param
from rules.text import Message

_DISK = Message("operations.block-device-image")
_POINT = Message("operations.mount-point")
POINT = Param("point", "path", _POINT, required=True, positional=True, metavar="POINT")
EITHER = Param(
    "volume",
    "path",
    Message("operations.mount-point-or-device"),
    required=True,
    positional=True,
    metavar="POINT|DEVICE",
)

OPERATIONS = (
    Operation(
        "volume.attach",
        Message("operations.attach-volume"),
        SYSTEM,
        (
            Param("device", "path", _DISK, required=True, positional=True, metavar="DEVICE"),
            Param("at", "path", Message("operations.publish-mount-point"), required=True, metavar="POINT"),
            Param("options", "text", Message("operations.mount-options")),
            Param("luks_key", "path", Message("operations.luks-key-file"), metavar="FILE"),
            Param("uuid", "text", Message("operations.expected-uuid")),
        ),
        act=True,
    ),
    Operation(
        "volume.publish",
        Message("operations.publish-volume"),
        SYSTEM,
        (EITHER,),
        act=True,
    ),
    Operation(
        "volume.hide",
        Message("common.hide-volume-help"),
        SYSTEM,
        (
            POINT,
            Param("end", "flag", Message("operations.end-holders")),
            Param("forget", "flag", Message("operations.forget-volume")),
        ),
        act=True,
    ),
    Operation(
        "volume.show",
        Message("operations.show-volume"),
        SYSTEM,
        (EITHER,),
    ),
    Operation("volume.list", Message("operations.list-volumes"), ANY, stream=True),
    Operation(
        "volume.outcome",
        Message("operations.wait-volume-act"),
        SYSTEM,
        (POINT, Param("at", "since", Message("operations.volume-act-time"), required=True)),
        stream=True,
    ),
)
