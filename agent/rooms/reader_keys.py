"""Keys of readers: made, handed over, and settled by what the reader answers under.

Rules of this file: a key goes from the store to the doors process and nowhere else. It is durable before it is sent, so
that a power cut in between never leaves a reader with a key nobody has; until the reader has shown which one it holds,
both are kept and both are tried. One thread, but for what :class:`agent.rooms.pending_commands.PendingCommands` allows.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from agent.doors.frames import Commission, Keyed, ReaderKey, Rekey, ToDoors
from agent.doors.osdp.keys import KeyStore, fingerprint
from agent.errors import RefusedError, ShoumiError
from agent.registry.store import Registry
from agent.rooms.pending_commands import CommandOutcome, PendingCommands
from rules.text import Text
from rules.visible import visible


class ReaderKeys:
    """The readers' keys of one site. *send* gives a frame to the doors process and raises :class:`ShoumiError`."""

    def __init__(
        self,
        store: KeyStore,
        registry: Registry,
        tickets: PendingCommands,
        send: Callable[[ToDoors], None],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._registry = registry
        self._tickets = tickets
        self._send = send
        self._now = now
        self._under_way: dict[str, tuple[str, str]] = {}  # ticket → address, fingerprint of the new key
        self._proven: dict[str, str] = {}  # address → fingerprint, as the registry has it

    def all(self) -> Mapping[str, tuple[bytes, ...]]:
        """Return the candidates of every reader.

        Raises :class:`RefusedError`: without its keys no reader comes online.
        """
        return self._store.all()

    def given(self, address: str) -> bool:
        """Whether a reader was ever given a key, as far as is known; it may not have taken it. Raises nothing."""
        try:
            return bool(self._store.candidates(address))
        except ShoumiError:  # whoever needs the keys themselves says so
            return True

    def proven(self, address: str) -> str:
        """Return the fingerprint of the key a reader has shown, ``""`` for none."""
        return self._proven.get(address, "")

    def give(self, ticket: str, address: str) -> None:
        """Give a reader in installation mode a key: that of the last try, if nobody knows what became of it."""
        known = self._store.candidates(address)
        again = len(known) > 1 or (known and address not in self._proven)
        key = known[-1] if again else self._store.begin(address)
        self._hand_over(ticket, address, key, Commission(ticket, address, key.hex()))

    def change(self, ticket: str, address: str) -> None:
        """Give a reader that is online another key."""
        if not self._store.candidates(address):
            shown = visible(address)
            raise RefusedError(
                Text(f"the reader `{shown}` has no key yet", f"读卡器 `{shown}` 尚无密钥"),
                Text("give it one first: `shoumi door commission`", "请先执行 `shoumi door commission`"),
            )
        key = self._store.begin(address)
        self._hand_over(ticket, address, key, Rekey(ticket, address, key.hex()))

    def answered(self, frame: Keyed) -> bool:
        """Take in what became of a key; return whether the readers' keys are others now."""
        address, mark = self._under_way.pop(frame.id, ("", ""))
        if not address:
            return False
        if frame.ok:
            self._settle(address, mark)
        self._tickets.settle(frame.id, CommandOutcome(frame.ok, frame.why, mark if frame.ok else ""))
        return True

    def shown(self, frame: ReaderKey) -> bool:
        """Take in under which key a reader came online; return whether that settled a change."""
        before = self._store.candidates(frame.address)
        if not any(fingerprint(key) == frame.key for key in before):
            return False
        self._settle(frame.address, frame.key)
        return len(before) > 1

    def keep_only(self, proven: Mapping[str, str]) -> None:
        """Take over which readers there are, by address, with the keys they have shown; forget those of no door."""
        self._proven = {address: mark for address, mark in proven.items() if mark}
        handed = {address for address, _ in self._under_way.values()}
        for address in self._store.all().keys() - proven.keys() - handed:
            self._store.drop(address)

    def _hand_over(self, ticket: str, address: str, key: bytes, frame: ToDoors) -> None:
        self._under_way[ticket] = address, fingerprint(key)
        try:
            self._send(frame)
        except ShoumiError as error:  # all candidates are kept: the reader shows which it has when it is online again
            del self._under_way[ticket]
            self._tickets.settle(ticket, CommandOutcome(ok=False, why=error.text))

    def _settle(self, address: str, mark: str) -> None:
        self._store.settle(address, mark)
        if self._proven.get(address) != mark:
            with self._registry.note(self._now()) as note:
                note.reader_keys.set(address, mark)
            self._proven[address] = mark
