"""Writing areas and rooms: level, scope, mode, hours, and what is particular to each.

Rules of this file: areas and rooms share one list of names, because grants and requests name either. Removing one ends
its grants; the same name used again starts with none.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Literal

from agent.errors import RefusedError
from agent.registry.columns import KEEP, Keep, instant, maybe_instant, path_bytes
from agent.registry.paths import absolute
from agent.registry.room_contents import KeptWrites
from agent.registry.rows.rooms import RoomSettings
from agent.registry.transaction import AREA, ROOM, identifier, taken, words
from rules.model import Level, Mode, RoomRules, Scope
from rules.text import Text

_DOMAIN = Text("domain", "秘密种类")
_HOURS = Text("schedule", "时间表")
_NO_SCOPE = Scope()
_NO_RULES = RoomRules()
_NO_SETTINGS = RoomSettings()
_MOST = 86_400  # persons, or seconds of a day


class ResourceWrites(KeptWrites):
    """Writes about areas and rooms. All raise :class:`agent.errors.RefusedError`."""

    def add_area(
        self,
        area: str,
        *,
        path: str,
        level: Level,
        domain: str,
        mode: Mode = Mode.ENFORCE,
        scope: Scope = _NO_SCOPE,
        custodian: str = "",
        secret_until: datetime | None = None,
        hours: str = "",
        reads: Literal["quiet", "each"] = "quiet",
        enforce_confirm_by: datetime | None = None,
        volume: Mapping[str, object] | None = None,
    ) -> None:
        """Register a directory tree; refused when the name or the path is taken. *volume* must be JSON."""
        place = path_bytes(absolute(path))
        if owner := self._row("SELECT name FROM areas JOIN resources ON key = resource WHERE path = ?", place):
            raise taken(
                AREA, path, owner[0], Text("one directory is one area: `shoumi area list`", "参见 `shoumi area list`")
            )
        key = self._add_resource(area, AREA, "area", level, domain, mode, custodian, hours, secret_until)
        self._run(
            "INSERT INTO areas VALUES (?, ?, ?, ?, ?)",
            key,
            place,
            reads,
            _confirm_by(mode, enforce_confirm_by),
            json.dumps(dict(volume or {}), ensure_ascii=False),
        )
        self._scope(key, scope)

    def add_room(
        self,
        room: str,
        *,
        level: Level,
        domain: str,
        mode: Mode = Mode.ENFORCE,
        scope: Scope = _NO_SCOPE,
        custodian: str = "",
        secret_until: datetime | None = None,
        hours: str = "",
        rules: RoomRules = _NO_RULES,
        settings: RoomSettings = _NO_SETTINGS,
    ) -> None:
        """Register a room; refused when the name is taken."""
        key = self._add_resource(room, ROOM, "room", level, domain, mode, custodian, hours, secret_until)
        self._run("INSERT INTO rooms (resource, two_person, needs_purpose, needs_declaration) VALUES (?, 0, 0, 0)", key)
        self.set_room(room, rules, settings)
        self._scope(key, scope)

    def set_resource(
        self,
        name: str,
        *,
        level: Level | None = None,
        domain: str | None = None,
        scope: Scope | None = None,
        custodian: str | None = None,
        secret_until: datetime | Keep | None = KEEP,
        hours: str | None = None,
    ) -> None:
        """Change what is given of an area or room. ``secret_until=None`` means without end; *scope* replaces all."""
        key = self._need_resource(name)
        self._set(
            "resources",
            "key",
            key,
            level=None if level is None else int(level),
            domain=None if domain is None else identifier(domain, _DOMAIN),
            hours=None if hours is None else words(hours, _HOURS),
        )
        if custodian is not None:
            self._run("UPDATE resources SET custodian = ? WHERE key = ?", self._custodian(custodian), key)
        if secret_until is not KEEP:
            self._run("UPDATE resources SET secret_until = ? WHERE key = ?", maybe_instant(secret_until), key)
        if scope is not None:
            self._scope(key, scope)
        self._fits(key)

    def set_mode(self, name: str, mode: Mode, *, confirm_by: datetime | None = None) -> None:
        """Observe or enforce. With *confirm_by* an area goes back to observe at that instant unless confirmed."""
        key = self._need_resource(name)
        self._set("resources", "key", key, mode=mode.value)
        self._run("UPDATE areas SET enforce_confirm_by = ? WHERE resource = ?", _confirm_by(mode, confirm_by), key)

    def confirm_enforce(self, area: str) -> None:
        """Let the area stay in enforce mode; refused when nothing waits to be confirmed."""
        key = self._need_resource(area, "area")
        if self._row("SELECT 1 FROM areas WHERE resource = ? AND enforce_confirm_by IS NOT NULL", key) is None:
            raise RefusedError(
                Text("nothing waits to be confirmed there", "没有待确认的模式更改"),
                Text("see `shoumi area show`", "参见 `shoumi area show`"),
            )
        self._run("UPDATE areas SET enforce_confirm_by = NULL WHERE resource = ?", key)

    def set_area(
        self,
        area: str,
        *,
        reads: Literal["quiet", "each"] | None = None,
        volume: Mapping[str, object] | None = None,
    ) -> None:
        """Change how reads are asked about, or what the guard found out about the place."""
        found = None if volume is None else json.dumps(dict(volume), ensure_ascii=False)
        self._set("areas", "resource", self._need_resource(area, "area"), reads=reads, volume=found)

    def set_room(self, room: str, rules: RoomRules | None = None, settings: RoomSettings | None = None) -> None:
        """Replace what the room asks beyond level, scope and grant: its rules, its settings, or both."""
        key = self._need_resource(room, "room")
        if rules is not None:
            self._rules(key, rules)
        if settings is not None:
            self._settings(key, settings)

    def remove_resource(self, name: str) -> int:
        """Remove an area or room, end its grants, and return how many were still running."""
        key = self._need_resource(name)
        ended = self._run(
            "UPDATE grants SET until = min(coalesce(until, ?1), ?1), ended_at = ?1, end_reason = 'removed'"
            " WHERE resource = ?2 AND (until IS NULL OR until > ?1)",
            self._at,
            key,
        ).rowcount
        self._no_doors(key)
        self._run("UPDATE visits SET ended_at = ?1 WHERE room = ?2 AND ended_at IS NULL", self._at, key)
        self._run("UPDATE lockdowns SET lifted_at = ?1 WHERE room = ?2 AND lifted_at IS NULL", self._at, key)
        self._run("DELETE FROM kept_areas WHERE area = ?1 OR room = ?1", key)
        for table in ("presence", "room_states"):
            self._run(f"DELETE FROM {table} WHERE room = ?", key)  # noqa: S608 - names of our own tables
        for table in ("scope", "areas", "rooms", "service_areas"):
            self._run(f"DELETE FROM {table} WHERE resource = ?", key)  # noqa: S608 - names of our own tables
        self._run("UPDATE resources SET removed_at = ? WHERE key = ?", self._at, key)
        return ended

    def _add_resource(
        self,
        name: str,
        what: Text,
        kind: str,
        level: Level,
        domain: str,
        mode: Mode,
        custodian: str,
        hours: str,
        secret_until: datetime | None,
    ) -> int:
        identifier(name, what)
        if self._row("SELECT 1 FROM resources WHERE name = ? AND removed_at IS NULL", name):
            raise taken(Text("area or room", "涉密目录或场所"), name, "", Text("choose another name", "请改用其他名称"))
        return self._add(
            "INSERT INTO resources (name, kind, level, domain, mode, custodian, hours, secret_until, added_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            name,
            kind,
            int(level),
            identifier(domain, _DOMAIN),
            mode.value,
            self._custodian(custodian),
            words(hours, _HOURS),
            maybe_instant(secret_until),
            self._at,
        )

    def _rules(self, key: int, rules: RoomRules) -> None:
        _check_most(rules.occupancy_limit)
        self._set("rooms", "resource", key, **asdict(rules))

    def _settings(self, key: int, settings: RoomSettings) -> None:
        _check_most(settings.held_open_seconds - 1, settings.together_seconds)
        self._set("rooms", "resource", key, **asdict(settings))

    def _no_doors(self, key: int) -> None:
        if door := self._row("SELECT name FROM doors WHERE room = ? ORDER BY name", key):
            raise RefusedError(
                Text(f"`{door[0]}` is a door of it", f"`{door[0]}` 是其门"),
                Text("remove its doors first: `shoumi door remove`", "请先移除其门：`shoumi door remove`"),
            )

    def _custodian(self, person: str) -> str | None:
        if not person:
            return None
        self._need_person(person)
        return person

    def _scope(self, key: int, scope: Scope) -> None:
        self._run("DELETE FROM scope WHERE resource = ?", key)
        for person in scope.persons:
            self._need_person(person)
        for kind, members in (
            ("person", scope.persons),
            ("department", scope.departments),
            ("project", scope.projects),
        ):
            for member in sorted(members):
                what = Text(kind, {"person": "人员", "department": "部门", "project": "项目"}[kind])
                self._run("INSERT INTO scope VALUES (?, ?, ?)", key, kind, identifier(member, what))


def _check_most(*counts: int) -> None:
    for count in counts:
        if not 0 <= count < _MOST:
            raise RefusedError(
                Text(f"`{count}` is not a limit of a room", f"`{count}` 不能用作场所的限值"),
                Text(f"stay below {_MOST}", f"请小于 {_MOST}"),
            )


def _confirm_by(mode: Mode, moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if mode is not Mode.ENFORCE:
        raise RefusedError(
            Text("only enforce mode waits for a confirmation", "只有强制模式需要确认"),
            Text("leave the time out", "请去掉确认期限"),
        )
    return instant(moment)
