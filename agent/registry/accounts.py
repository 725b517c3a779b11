"""Writing what stands for a person or service on a machine: Linux uids and services.

Rules of this file: a uid means one subject. It is a person's or a service's, never both: a person who may run a
service's executable under his own uid would have the service's rights. uid 0 is nobody's account (contract C4).
"""

from collections.abc import Iterable

from agent.errors import RefusedError
from agent.registry.columns import path_bytes
from agent.registry.paths import absolute
from agent.registry.transaction import SERVICE, Transaction, identifier, taken, unknown, words
from rules.text import Text
from rules.visible import visible

_ACCOUNT = Text("account", "账号")
_SHARED = frozenset((65534, 4294967295))  # nobody (also every unmapped uid), and "no uid" of setresuid(2)
_FIRST_ORDINARY = 1000  # login.defs(5) UID_MIN; below are the distribution's own accounts


class AccountWrites(Transaction):
    """Writes about accounts and services. All raise :class:`agent.errors.RefusedError`."""

    def add_account(self, uid: int, person: str, *, name: str = "", allow_system: bool = False) -> None:
        """Say that *uid* is *person*'s; refused for uid 0, shared uids, taken ones, and 1 to 999 unless allowed."""
        self._need_person(person)
        _check_uid(uid)
        if uid == 0:
            raise RefusedError(
                Text("uid 0 belongs to nobody", "uid 0 不属于任何人"),
                Text(
                    "what root does for a program is a service; what a person does as root counts as that person",
                    "root 运行的程序请登记为服务账户；人员以 root 身份的操作计入其本人",
                ),
            )
        if uid < _FIRST_ORDINARY and not allow_system:
            raise RefusedError(
                Text(f"uid {uid} is a system account", f"uid {uid} 是系统账号"),
                Text("register programs with `shoumi service add`", "程序请用 `shoumi service add` 登记"),
            )
        if owner := self._row("SELECT person FROM accounts WHERE uid = ?", uid):
            raise taken(
                _ACCOUNT,
                str(uid),
                owner[0],
                Text("remove it there first: `shoumi account remove`", "请先移除：`shoumi account remove`"),
            )
        if service := self._row("SELECT id FROM services WHERE uid = ?", uid):
            raise _both(uid, service[0], SERVICE)
        self._run("INSERT INTO accounts VALUES (?, ?, ?)", uid, person, words(name, Text("account name", "账号名")))

    def remove_account(self, uid: int) -> str:
        """Take the uid from its person, and return the person."""
        owner = self._row("SELECT person FROM accounts WHERE uid = ?", uid)
        if owner is None:
            raise unknown(_ACCOUNT, str(uid), "shoumi account list")
        self._run("DELETE FROM accounts WHERE uid = ?", uid)
        return str(owner[0])

    def add_service(self, service: str, *, uid: int, executable: str, areas: Iterable[str] = ()) -> None:
        """Register a program that runs as *uid* from the absolute path *executable* and may touch *areas*."""
        identifier(service, SERVICE)
        _check_uid(uid)
        path = path_bytes(absolute(executable))
        if self._row("SELECT 1 FROM services WHERE id = ?", service):
            raise taken(
                SERVICE,
                service,
                "",
                Text("remove it first: `shoumi service remove`", "请先移除：`shoumi service remove`"),
            )
        if other := self._row("SELECT id FROM services WHERE uid = ? AND executable = ?", uid, path):
            raise taken(
                Text("the pair of uid and executable", "uid 与可执行文件的组合"),
                f"{uid} {executable}",
                other[0],
                Text("one program under one uid is one service", "同一 uid 下的同一程序只能登记一次"),
            )
        if owner := self._row("SELECT person FROM accounts WHERE uid = ?", uid):
            raise _both(uid, owner[0], Text("person", "人员"))
        self._run("INSERT INTO services VALUES (?, ?, ?, 1)", service, uid, path)
        self._areas(service, areas)

    def set_service(self, service: str, *, areas: Iterable[str] | None = None, active: bool | None = None) -> None:
        """Change what is given; *areas* replaces the whole set."""
        if self._row("SELECT 1 FROM services WHERE id = ?", service) is None:
            raise unknown(SERVICE, service, "shoumi service list")
        self._set("services", "id", service, active=None if active is None else int(active))
        if areas is not None:
            self._run("DELETE FROM service_areas WHERE service = ?", service)
            self._areas(service, areas)

    def remove_service(self, service: str) -> None:
        """Forget the service."""
        self.set_service(service, areas=())
        self._run("DELETE FROM services WHERE id = ?", service)

    def _areas(self, service: str, areas: Iterable[str]) -> None:
        for area in sorted(set(areas)):
            self._run("INSERT INTO service_areas VALUES (?, ?)", service, self._need_resource(area, "area"))


def _check_uid(uid: int) -> None:
    if not 0 <= uid <= 0xFFFFFFFF or uid in _SHARED:
        raise RefusedError(
            Text(f"uid {uid} stands for no particular subject", f"uid {uid} 不代表任何特定主体"),
            Text("give each person and service a uid of its own", "请为每个人员和服务分配独立的 uid"),
        )


def _both(uid: int, owner: str, what: Text) -> RefusedError:
    return RefusedError(
        Text(
            f"uid {uid} belongs to the {what.en} `{visible(owner)}`",
            f"uid {uid} 已属于{what.zh} `{visible(owner)}`",
        ),
        Text("a uid is a person's or a service's, never both", "同一 uid 不能既属于人员又属于服务账户"),
    )
