"""Files scanned by a real clamd: clean, infected, and while it is away, slow or restarting."""

import os
import socket
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.files.errors import ScannerAwayError
from gateway.files.scanning import Verdict, scan
from gateway.files.setting_up import scanner_at
from nkk.settings.addresses import clamd as written_clamd
from ops.stack.ports import LOOPBACK
from tests.clamd import STREAM_MB, VIRUS, PrivateClamd
from tests.corpus import office
from tests.corpus.office import changed


@pytest.fixture(scope="module")
def running(clamd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateClamd]:
    with PrivateClamd(clamd, tmp_path_factory.mktemp("clamd")) as server:
        yield server


@pytest.mark.parametrize("place", ["address", "socket"])
def test_a_file_is_clean_or_infected(running: PrivateClamd, place: str) -> None:
    where = getattr(running, place)
    assert scan([b"Jalan ", b"rusak"], where) is Verdict.CLEAN
    assert scan([b"Jalan ", VIRUS, b" rusak"], where) is Verdict.INFECTED


def test_the_setting_says_where_it_is(running: PrivateClamd) -> None:
    host, port = running.address
    for written in (f"{host}:{port}", running.socket):
        is_clean = scanner_at(written_clamd(written))
        assert is_clean
        assert is_clean([b"a"])
        assert not is_clean([VIRUS])
    assert scanner_at(written_clamd("")) is None


def test_a_virus_is_found_across_chunks_and_far_behind(running: PrivateClamd) -> None:
    content = os.urandom(2_000_000) + VIRUS
    parts = (content[start : start + 99_999] for start in range(0, len(content), 99_999))
    assert scan(parts, running.address) is Verdict.INFECTED
    assert scan([content], running.address) is Verdict.INFECTED


def test_a_virus_is_found_within_an_office_document(running: PrivateClamd) -> None:
    assert scan([changed(office.document(), {}, {"word/media/a.bin": VIRUS})], running.address) is Verdict.INFECTED
    assert scan([office.document()], running.address) is Verdict.CLEAN


@pytest.mark.parametrize("content", [[], [b""], [b"", b"a", b""]])
def test_an_empty_part_does_not_end_the_file(running: PrivateClamd, content: list[bytes]) -> None:
    assert scan(content, running.address) is Verdict.CLEAN
    assert scan([*content, VIRUS], running.address) is Verdict.INFECTED


def test_a_file_that_is_too_long_for_it_gets_no_verdict(running: PrivateClamd) -> None:
    with pytest.raises(ScannerAwayError):
        scan([bytes(100_000)] * (STREAM_MB * 20), running.address)
    assert scan([b"a"], running.address) is Verdict.CLEAN


def test_what_the_source_raises_is_passed_on(running: PrivateClamd) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise TimeoutError("the store")

    with pytest.raises(TimeoutError, match="the store"):
        scan(broken(), running.address)


@pytest.mark.parametrize("place", ["address", "socket"])
def test_one_that_is_away_gives_no_verdict_and_one_that_is_back_does(running: PrivateClamd, place: str) -> None:
    running.stop()
    try:
        with pytest.raises(ScannerAwayError, match="cannot be reached"):
            scan([VIRUS], getattr(running, place))
    finally:
        running.start()
    assert scan([VIRUS], getattr(running, place)) is Verdict.INFECTED


def test_one_that_restarts_in_the_middle_gives_no_verdict(running: PrivateClamd) -> None:
    def restarting() -> Iterator[bytes]:
        yield zlib.compress(b"a")
        running.stop()
        running.start()
        yield from [bytes(100_000)] * 20

    with pytest.raises(ScannerAwayError):
        scan(restarting(), running.address)
    assert scan([b"a"], running.address) is Verdict.CLEAN


def test_one_that_is_slow_gives_no_verdict(running: PrivateClamd) -> None:
    running.pause()
    try:
        with pytest.raises(ScannerAwayError):
            scan([b"a"], running.address, seconds=0.3)
    finally:
        running.go_on()
    assert scan([VIRUS], running.address) is Verdict.INFECTED


@pytest.mark.parametrize(
    "answer", [b"", b"stream: ", b"PONG\0", b"stream: OK FOUND no\0", b"x" * 10_000, b"stream: X ERROR\0"]
)
def test_whatever_else_answers_gives_no_verdict(answer: bytes, tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                received = b""
                while not received.endswith(b"a" + bytes(4)):
                    received += connection.recv(4096)
                connection.sendall(answer)

        serving = threading.Thread(target=serve)
        serving.start()
        with pytest.raises(ScannerAwayError):
            scan([b"a"], server.getsockname())
        serving.join()


def test_files_are_sent_as_its_protocol_says(tmp_path: Path) -> None:
    """The socket's own length goes before each part, and a length of zero ends the file."""
    path, received = str(tmp_path / "socket"), []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                whole = b""
                while not whole.endswith(b"bc" + bytes(4)):
                    whole += connection.recv(4096)
                received.append(whole)
                connection.sendall(b"stream: OK\0")

        serving = threading.Thread(target=serve)
        serving.start()
        assert scan([b"a", b"", b"bc"], path) is Verdict.CLEAN
        serving.join()
    assert received == [b"zINSTREAM\0" + b"\0\0\0\1a" + b"\0\0\0\2bc" + bytes(4)]
