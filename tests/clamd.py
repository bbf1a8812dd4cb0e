"""A real clamd of Debian's, with a signature file of our own."""

import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ops.stack.ports import LOOPBACK, free_port
from tests.installations import eventually

VIRUS = b"a mark that this signature file calls a virus: 7b1f"
STREAM_MB = 3
"""The longest stream that it takes, in MB."""


class PrivateClamd:
    """A clamd on loopback and at a socket, which may be stopped and started."""

    def __init__(self, program: str, folder: Path) -> None:
        self.address, self.socket = (LOOPBACK, free_port()), str(folder / "clamd.sock")
        self._command = [program, "--foreground", "--config-file", str(folder / "clamd.conf")]
        signatures = folder / "signatures"
        signatures.mkdir()
        (signatures / "own.ndb").write_text(f"Nkk.Test:0:*:{VIRUS.hex()}\n")
        (folder / "clamd.conf").write_text(
            f"DatabaseDirectory {signatures}\nLocalSocket {self.socket}\n"
            f"TCPAddr {LOOPBACK}\nTCPSocket {self.address[1]}\n"
            f"StreamMaxLength {STREAM_MB}M\nTemporaryDirectory {folder}\nPidFile {folder}/pid\nLogFile {folder}/log\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self._answers)

    def stop(self) -> None:
        """End it at once, as a crash does."""
        if self._process:
            # One that was paused is ended, too.
            self._process.kill()
            self._process.wait()
            self._process = None
        with suppress(FileNotFoundError):
            Path(self.socket).unlink()

    def pause(self) -> None:
        """Let it do nothing more, as a machine without memory does."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it work again."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(self.address, timeout=5) as connection:
            connection.sendall(b"zPING\0")
            return connection.recv(16) == b"PONG\0"
        return False
