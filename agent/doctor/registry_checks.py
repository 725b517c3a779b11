"""Checks that ``doctor`` makes, running agent or not. Each returns findings; a gap names the step that closes it.

Rules of this file: looking only. What is good is said too, in one line, so that silence never passes for health.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from agent.api.findings import Finding
from agent.kernel.open_files import HeldFile
from agent.log.verifier_supervisor import VerifiedState
from agent.registry.columns import moment
from agent.registry.queries.registry_queries import RegistryQueries
from agent.runtime.home import Home
from rules.pack.reader import Pack
from rules.text import Text
from rules.visible import visible

_SOON = 14  # days
_LOG_ROOM = 1 << 30  # bytes; when the disk is full, every access is denied


def zone(pack: Pack, now: datetime) -> Iterator[Finding]:
    """Say when the host's clock and the site's differ: dates are read on the one, hours and holidays on the other."""
    here = now.astimezone().utcoffset()
    if here != pack.utc_offset:
        yield Finding(
            "warning",
            "zone",
            Text(
                f"the host is {here} from UTC, the clock of the pack {pack.utc_offset}; dates you type are of the host",
                f"本机与 UTC 相差 {here}，规则包为 {pack.utc_offset}：命令行中的日期按本机时区理解",
            ),
            Text(
                "timedatectl set-timezone, or utc_offset in the pack",
                "请用 timedatectl set-timezone，或修改规则包的 utc_offset",
            ),
        )


def log_room(home: Home) -> Iterator[Finding]:
    """Say whether the disk has room for the log: when it is full, every access is denied."""
    try:
        free = shutil.disk_usage(home.log).free
    except OSError as error:
        said = visible(os.strerror(error.errno or 0))
        yield Finding("serious", "log", Text(f"the log folder cannot be used: {said}", f"无法使用日志目录：{said}"))
        return
    gib = f"{free / (1 << 30):.1f} GiB"
    if free < _LOG_ROOM:
        yield Finding(
            "serious",
            "log-room",
            Text(
                f"{gib} left for the log; at zero every access is denied",
                f"日志所在磁盘仅剩 {gib}；写满后将拒绝一切访问",
            ),
            Text("make room on that disk", "请腾出空间"),
        )
    else:
        yield Finding("good", "log-room", Text(f"{gib} left for the log", f"日志所在磁盘剩余 {gib}"))


def log_whole(known: VerifiedState) -> Iterator[Finding]:
    """Say how far the record was read, and what is wrong with it."""
    if known.trouble:
        yield Finding("serious", "log", known.trouble, Text("shoumi log verify", "shoumi log verify"))
    elif known.to is None:
        yield Finding(
            "warning",
            "log",
            Text("the log has not been verified since the agent started", "代理启动后尚未校验日志"),
            Text("shoumi log verify", "shoumi log verify"),
        )
    else:
        yield Finding(
            "good",
            "log",
            Text(f"the log is whole: verified to entry {known.to}", f"日志完好：已校验至第 {known.to} 条"),
        )


_BLIND = {
    "unfinished": Text(
        "processes come and go too fast to see what they hold: every read is asked about",
        "进程更替过快，无法查明其持有的文件：每次读取均须判定",
    ),
    "ring": Text(
        "process {pid} keeps files in an io_uring, and nobody can tell which: every read is asked about",
        "进程 {pid} 在 io_uring 中持有文件，无法查明是哪些：每次读取均须判定",
    ),
    "closed": Text(
        "process {pid} has an io_uring that cannot be looked into: every read is asked about",
        "进程 {pid} 的 io_uring 无法查看：每次读取均须判定",
    ),
    "flight": Text(
        "descriptors sent to process {pid} wait in a socket, and nobody can tell which: every read is asked about",
        "发给进程 {pid} 的描述符仍在套接字中，无法查明是哪些：每次读取均须判定",
    ),
}


def blind(found: Iterable[HeldFile]) -> Iterator[Finding]:
    """Name the processes for whose sake every read is asked about (:mod:`agent.control.quiet_scan`)."""
    for pid, how in sorted({(one.pid, one.how if one.looked_into else "closed") for one in found}):
        text = Text(*(said.replace("{pid}", str(pid)) for said in _BLIND[how]))
        yield Finding("warning", "reads-asked", text, Text("reads are slower until it lets go", "在其释放之前读取较慢"))


def expiring(lists: RegistryQueries, pack: Pack, now: datetime) -> Iterator[Finding]:
    """Say which grants and records end within two weeks."""
    soon = now + timedelta(days=_SOON)
    for row in lists.grants.find(now):
        if row["until"] and moment(str(row["until"])) <= soon:
            person, area, until = visible(str(row["person"])), visible(str(row["resource"])), str(row["until"])[:16]
            yield Finding(
                "warning",
                "grant-ends",
                Text(
                    f"the grant {row['id']} of `{person}` for `{area}` ends {until}Z",
                    f"`{person}` 对 `{area}` 的授权 {row['id']} 将于 {until}Z 结束",
                ),
                Text("grant again if the need goes on", "如仍需要请重新授权"),
            )
    days = {kind: record.valid_days for kind, record in pack.records.items() if record.valid_days}
    if pack.records:
        for row in lists.records.due(now, _SOON, valid_days=days):
            person, kind, ends = visible(str(row["person"])), visible(str(row["kind"])), str(row["ends"])[:10]
            title = pack.records[str(row["kind"])].title if row["kind"] in pack.records else Text(kind, kind)
            yield Finding(
                "warning",
                "record-ends",
                Text(
                    f"{title.en} of `{person}` is valid to {ends}",
                    f"`{person}` 的{title.zh}有效期至 {ends}",
                ),
                Text(
                    f"renew it, then: shoumi record add {person} {kind}",
                    f"更新后运行：shoumi record add {person} {kind}",
                ),
            )


def observing(areas: list[dict[str, object]]) -> Iterator[Finding]:
    """Say loudly which areas block nothing."""
    for row in areas:
        if row["mode"] == "observe":
            name = visible(str(row["name"]))
            yield Finding(
                "warning",
                "observing",
                Text(
                    f"`{name}` is in observe mode: everything is recorded, nothing is blocked",
                    f"`{name}` 处于观察模式：只记录，不拦截",
                ),
                Text(f"shoumi area enforce {name}", f"shoumi area enforce {name}"),
            )
