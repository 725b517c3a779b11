"""Operations on volumes: disks the agent mounts, marked before anybody can see them, and lets go of again.

All but the list are the system administrator's. Publishing shows nothing that is not guarded; hiding takes access away.
"""

from agent.api.operations.schema import ANY, SYSTEM, Operation, Param
from rules.text import Text

_DISK = Text("the block device or image", "块设备或映像文件")
_POINT = Text("where it is mounted", "挂载点")
POINT = Param("point", "path", _POINT, required=True, positional=True, metavar="POINT")
EITHER = Param(
    "volume",
    "path",
    Text("its mount point, or the block device or image", "挂载点，或块设备、映像文件"),
    required=True,
    positional=True,
    metavar="POINT|DEVICE",
)

OPERATIONS = (
    Operation(
        "volume.attach",
        Text("mount a volume where nobody sees it, and mark it", "在无人可见处挂载卷并加以标记"),
        SYSTEM,
        (
            Param("device", "path", _DISK, required=True, positional=True, metavar="DEVICE"),
            Param("at", "path", Text("where it will be published", "日后公开的挂载点"), required=True, metavar="POINT"),
            Param("options", "text", Text("mount options (default nosuid,nodev)", "挂载选项（默认 nosuid,nodev）")),
            Param(
                "luks_key", "path", Text("file with the key of a LUKS container", "LUKS 容器的密钥文件"), metavar="FILE"
            ),
            Param(
                "uuid", "text", Text("number of what must be on it (default: what is)", "其上内容的编号（默认取现有）")
            ),
        ),
        act=True,
    ),
    Operation(
        "volume.publish",
        Text("bring an attached or hidden volume to its mount point, guarded", "将已附加或已隐藏的卷置于挂载点并保护"),
        SYSTEM,
        (EITHER,),
        act=True,
    ),
    Operation(
        "volume.hide",
        Text("take a volume away from everybody, and let go of its disk", "收回卷并释放其磁盘"),
        SYSTEM,
        (
            POINT,
            Param("end", "flag", Text("end the processes that hold something of it", "结束占用它的进程")),
            Param("forget", "flag", Text("forget the volume altogether", "不再记录该卷")),
        ),
        act=True,
    ),
    Operation(
        "volume.show",
        Text("show what is on a volume or disk, and who holds it", "查看卷或磁盘的内容及占用者"),
        SYSTEM,
        (EITHER,),
    ),
    Operation("volume.list", Text("list volumes", "列出卷"), ANY, stream=True),
    Operation(
        "volume.outcome",
        Text("wait for what comes of an act on a volume", "等待卷操作的结果"),
        SYSTEM,
        (POINT, Param("at", "since", Text("when it was done", "操作时间"), required=True)),
        stream=True,
    ),
)
