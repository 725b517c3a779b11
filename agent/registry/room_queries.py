"""Lists of rooms, doors, visits, statements, alarms and lockdowns, for people.

Rules of this file: what was removed is not listed; what is over is listed when it is asked for. Everything is ordered
by name or by the time it began.
"""

from agent.registry.reader import Row, when
from agent.registry.resource_queries import ResourceQueries


class RoomQueries(ResourceQueries):
    """Questions about rooms and what belongs to them."""

    def rooms(self, room: str = "") -> list[Row]:
        """Return the rooms, or the one of this name, with rules, settings, scope, and what is kept there."""
        rows = self._resources(
            "SELECT key, name, level, domain, mode, custodian, hours, secret_until, two_person, needs_purpose,"
            " needs_declaration, needs_pin, anti_passback, occupancy_limit, first_in, held_open_seconds,"
            " together_seconds, accompany, lone_alarm, reset_at, added_at FROM rooms JOIN resources ON key = resource",
            room,
        )
        kept = self._select(
            "SELECT r.name AS room, a.name AS area FROM kept_areas JOIN resources r ON r.key = room"
            " JOIN resources a ON a.key = area",
            order="ORDER BY a.name",
        )
        return [row | {"keeps": [one["area"] for one in kept if one["room"] == row["name"]]} for row in rows]

    def doors(self, room: str = "", door: str = "") -> list[Row]:
        """Return the doors, of one room or by name, with their readers."""
        rows = self._select(
            "SELECT doors.name, resources.name AS room, protocol, strike, output, strike_seconds, contact,"
            " doors.added_at FROM doors JOIN resources ON key = room",
            {**when("resources.name", room), **when("doors.name", door)},
            "ORDER BY doors.name",
        )
        readers = self._select("SELECT door, address, side, key, keyed_at FROM readers", order="ORDER BY side, address")
        named = [({name: value for name, value in one.items() if name != "door"}, one["door"]) for one in readers]
        return [row | {"readers": [reader for reader, door in named if door == row["name"]]} for row in rows]

    def badges(self, person: str = "", *, returned: bool = False) -> list[Row]:
        """Return the badges people have, lost ones too, or with *returned* also those taken back."""
        return self._select(
            "SELECT number, person, state, until, given_at FROM badges",
            {**when("person", person), "state <> 'returned' OR ?": (int(returned),)},
            "ORDER BY number",
        )

    def pins(self, person: str = "") -> list[Row]:
        """Return who has a PIN, whether also one for duress, and since when; never the PIN."""
        return self._select(
            "SELECT person, duress IS NOT NULL AS duress, set_at FROM pins", when("person", person), "ORDER BY person"
        )

    def visits(self, person: str = "", *, room: str = "", now: str = "") -> list[Row]:
        """Return visits in the order they were registered; with the stored instant *now* only those not over then.

        A visit is over when its visitor has left, or when it ended and nobody says they are still inside.
        """
        running = (
            "left_at IS NULL AND (ended_at IS NULL AND until > ? OR EXISTS"
            " (SELECT 1 FROM presence WHERE presence.person = visits.person))"
        )
        return self._select(
            "SELECT printf('V%06d', number) AS id, visits.person, people.name AS visitor, host, escort,"
            " resources.name AS room, purpose, since, until, badge, registered_by, ended_at, ended_by, left_at"
            " FROM visits JOIN resources ON key = visits.room JOIN people ON people.id = visits.person",
            {**when("visits.person", person), **when("resources.name", room), running: (now,) if now else ()},
            "ORDER BY number",
        )

    def declarations(self, person: str = "", *, room: str = "", now: str = "") -> list[Row]:
        """Return what people stated for rooms; with the stored instant *now* only what is not over then."""
        return self._select(
            "SELECT printf('S%06d', number) AS id, person, name AS room, purpose, devices, declares, since, until,"
            " taken_by, ended_at FROM declarations JOIN resources ON key = declarations.room",
            {
                **when("person", person),
                **when("name", room),
                "ended_at IS NULL AND until > ?": (now,) if now else (),
            },
            "ORDER BY number",
        )

    def presence(self, room: str = "", person: str = "") -> list[Row]:
        """Return who is inside which room, since when, and by which door."""
        return self._select(
            "SELECT resources.name AS room, person, people.name AS name, employment, since, door FROM presence"
            " JOIN resources ON key = room JOIN people ON people.id = person",
            {**when("resources.name", room), **when("person", person)},
            "ORDER BY resources.name, since, person",
        )

    def alarms(self, room: str = "", *, acknowledged: bool = False) -> list[Row]:
        """Return the alarms that wait for somebody, or with *acknowledged* all of them."""
        return self._select(
            "SELECT printf('A%06d', number) AS id, kind, room, door, person, text_en, text_zh, at, seq, acked_at,"
            " acked_by, note FROM alarms",
            {**when("room", room), "acked_at IS NULL OR ?": (int(acknowledged),)},
            "ORDER BY number",
        )

    def lockdowns(self, *, lifted: bool = False) -> list[Row]:
        """Return the lockdowns in force, or with *lifted* all of them; ``room`` is ``""`` for the whole site."""
        return self._select(
            "SELECT printf('L%06d', number) AS id, coalesce(name, '') AS room, since, placed_by, reason, lifted_at,"
            " lifted_by, lift_reason FROM lockdowns LEFT JOIN resources ON key = room",
            {"lifted_at IS NULL OR ?": (int(lifted),)},
            "ORDER BY number",
        )

    def board_cards(self, *, pending: bool = False) -> list[Row]:
        """Return what boards should hold of which card; with *pending* only what is not confirmed."""
        return self._select(
            "SELECT board, card, wanted, state, why_en, why_zh, at FROM board_cards",
            {"state = 'pending' OR ?": (int(not pending),)},
            "ORDER BY board, card",
        )
