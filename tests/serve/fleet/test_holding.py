"""The port and the folder of state are one server's alone, and its workers share the port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from engine.serve.config import ConfigError
from engine.serve.fleet.holding import hold_port, hold_state

TAKEN = "is another server running there"


def listening(port: int, *options: int) -> socket.socket:
    """A socket that listens on a port of the loopback."""
    made = socket.socket()
    try:
        for option in options:
            made.setsockopt(socket.SOL_SOCKET, option, 1)
        made.bind(("127.0.0.1", port))
        made.listen()
    except BaseException:
        made.close()
        raise
    return made


def test_workers_share_what_is_held_and_nobody_else_gets_it() -> None:
    with hold_port("127.0.0.1", 0) as port:
        first = listening(port, socket.SO_REUSEPORT, socket.SO_REUSEADDR)
        with first, listening(port, socket.SO_REUSEPORT, socket.SO_REUSEADDR):
            with pytest.raises(OSError, match="in use"):
                listening(port, socket.SO_REUSEADDR)
            with pytest.raises(ConfigError, match=TAKEN), hold_port("127.0.0.1", port):
                pass
        with pytest.raises(OSError, match="in use"):  # also while no worker listens
            listening(port, socket.SO_REUSEADDR)
        with pytest.raises(ConfigError, match=TAKEN), hold_port("127.0.0.1", port):
            pass
    listening(port).close()


@pytest.mark.parametrize("options", [(), (socket.SO_REUSEADDR,), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)])
def test_a_port_on_which_somebody_listens_is_refused(options: tuple[int, ...]) -> None:
    with listening(0, *options) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=TAKEN), hold_port("127.0.0.1", port):
            pass


def test_connections_of_an_earlier_server_are_in_nobodys_way() -> None:
    with listening(0, socket.SO_REUSEADDR) as earlier:
        port = earlier.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            earlier.accept()[0].close()  # whoever closes first keeps the address for a while
    with hold_port("127.0.0.1", port) as held:
        assert held == port


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_other_names_of_the_loopback_are_held_too(host: str) -> None:
    with hold_port(host, 0) as port, pytest.raises(ConfigError, match=TAKEN), hold_port(host, port):
        pass


def test_a_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be listened on"), hold_port("192.0.2.1", 0):
        pass
    with pytest.raises(ConfigError, match="cannot be listened on"), hold_port("no-such-host.invalid", 0):
        pass


def test_a_folder_of_state_has_one_server(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    with hold_state(folder), pytest.raises(ConfigError, match="another server uses"):
        hold_state(folder)
    hold_state(folder).close()


def test_a_killed_server_lets_go_of_its_state(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from engine.serve.fleet.holding import hold_state\n"
        "held = hold_state(Path(sys.argv[1])); print('held', flush=True); time.sleep(100)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout and other.stdout.readline() == b"held\n"
            with pytest.raises(ConfigError, match="another server uses"):
                hold_state(tmp_path)
        finally:
            os.kill(other.pid, signal.SIGKILL)
    hold_state(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        hold_state(tmp_path / "file" / "state")
