"""Doors of the room that the site has, with a reader on each side."""

from typing import Any

from agent.registry.repositories.registry_transaction import RegistryTransaction

IN, OUT = "osdp+tcp://10.9.0.20:4001/1", "osdp+tcp://10.9.0.20:4001/2"
BOARD = "uhppote://10.9.0.10:60000/405419896/1"


def door(change: RegistryTransaction, name: str = "d1", **given: Any) -> None:
    change.doors.add(
        name, "vault", **{"protocol": "osdp", "readers": [(IN, "in"), (OUT, "out")], "strike": IN, **given}
    )
