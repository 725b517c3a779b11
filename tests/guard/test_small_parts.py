"""Instants, capabilities, channel: small parts whose laws the open path stands on."""

import socket
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import UnreachableError
from agent.guard.objects import Root
from agent.runtime import channel
from agent.runtime.clock import instant, nanoseconds
from tests import needs


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_instants_survive_the_way_to_nanoseconds_and_back(moment: datetime) -> None:
    assert instant(nanoseconds(moment)) == moment


def test_a_question_nobody_answers_is_an_error_and_never_a_success() -> None:
    control, decider = channel.pair()
    with control, decider, pytest.raises(UnreachableError):
        channel.ChannelClient(control).ask({"op": "epoch", "epoch": 1}, timeout=0.05)


def test_a_late_answer_to_an_older_question_is_not_taken_for_the_new_one() -> None:
    control, decider = channel.pair()
    with control, decider:
        client = channel.ChannelClient(control)
        with pytest.raises(UnreachableError):
            client.ask({"op": "epoch", "epoch": 1}, timeout=0.01)
        late = channel.receive(decider)
        assert late is not None
        channel.send(decider, {"id": late["id"], "epoch": 1})
        channel.send(decider, {"op": "hello"})
        with pytest.raises(UnreachableError):
            client.ask({"op": "epoch", "epoch": 2}, timeout=0.05)
        assert client.poll() == [{"op": "hello"}]


@given(st.binary(max_size=100).filter(bool))
def test_bytes_that_are_no_message_are_no_message(data: bytes) -> None:
    control, decider = channel.pair()
    with control, decider:
        control.send(data)
        assert isinstance(channel.receive(decider), dict)


def test_channel_is_seqpacket() -> None:
    control, decider = channel.pair()
    with control, decider:
        assert control.type == socket.SOCK_SEQPACKET


@needs.root
def test_capabilities_given_up_do_not_come_back() -> None:
    program = (
        "from agent.confinement import capabilities as caps; import os\n"
        "caps.keep_only([caps.CAP_SYS_PTRACE])\n"
        "assert caps.held() == 1 << caps.CAP_SYS_PTRACE, hex(caps.held())\n"
        "os.execvp('grep', ['grep', '-E', 'CapEff|CapBnd', '/proc/self/status'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in done.stdout.splitlines()} == {"0000000000080000"}


def test_the_decider_loads_nothing_heavy() -> None:
    heavy = "textual watchdog sqlite_utils jwt msgspec psutil asyncio"
    program = f"import sys, agent.guard.decider; print(sorted(set({heavy.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_an_enforced_area_closes_what_has_no_label_on_its_volume() -> None:
    root = Root(b"/srv/plans", "plans", alone=True, enforced=True, sealed=True)
    assert root.place.sealed
    assert not root._replace(enforced=False).place.sealed
    assert not root._replace(sealed=False).place.sealed
