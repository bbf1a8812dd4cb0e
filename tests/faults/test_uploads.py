"""Bad days of uploads: the gateway is killed at every stage of one, the store is full, read-only or gone."""

import hashlib
import os
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.stack.broker import PrivateNode
from tests.chaos import disks
from tests.faults.test_gateway import workers
from tests.installations import PATIENCE, Installation, eventually, installation, new_vhost
from tests.people import People, Person

TEXT = b"".join(f"Baris {number} dari bukti.\n".encode() for number in range(150_000))
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """The small disk on which the files lie; None where none can be mounted."""
    with disks.small_disk(tmp_path_factory.mktemp("uploads") / "var" / "files") as found:
        yield found


@pytest.fixture(scope="module")
def shared(disk: Path | None, tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode) -> Iterator[Installation]:
    folder = disk.parent if disk else tmp_path_factory.mktemp("uploads")
    settings = {"NKK_GATEWAY_THREADS": "8", "NKK_LIVE_STREAMS": "1", "NKK_UPLOAD_THREADS": "2"}
    with installation(folder, new_vhost(rabbit), None, settings) as found:
        yield found


@pytest.fixture(scope="module")
def people(shared: Installation) -> Iterator[People]:
    with People(shared) as everybody:
        yield everybody


@pytest.fixture
def running(shared: Installation) -> Installation:
    """An installation whose gateway works, whatever the test before did to it."""
    shared.wait_until_ready()
    return shared


@pytest.fixture
def reporter(running: Installation, people: People) -> Person:
    return people.reporter()


def begin(reporter: Person, length: int = len(TEXT)) -> str:
    answer = reporter.ask("POST", "/uploads", headers=TUS | {"Upload-Length": str(length)})
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].removeprefix("/api/v1")


def offset(reporter: Person, at: str) -> int:
    answer = reporter.ask("HEAD", at, headers=TUS)
    assert answer.status_code == 200, answer.status_code
    return int(answer.headers["Upload-Offset"])


def send(reporter: Person, at: str, start: int, plain: bytes) -> httpx.Response:
    return reporter.ask("PATCH", at, headers=BYTES | {"Upload-Offset": str(start)}, content=plain)


def sending(running: Installation, reporter: Person, at: str, start: int, plain: bytes) -> socket.socket:
    """Return a connection on which a part of an upload's rest was sent, and not the end."""
    line = socket.create_connection(("127.0.0.1", running.stack.port), timeout=PATIENCE)
    headers = BYTES | reporter._authorization() | {"Upload-Offset": start, "Content-Length": len(TEXT) - start}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    line.sendall(f"PATCH /api/v1{at} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + plain)
    return line


def go_on(reporter: Person, at: str) -> None:
    """Send what is missing, as a client does that was told to come again."""

    def is_sent() -> bool:
        start = offset(reporter, at)
        answer = send(reporter, at, start, TEXT[start:])
        assert answer.status_code == 204, answer.text
        return True

    eventually(is_sent)


def arrives_whole(reporter: Person, at: str) -> None:
    def is_ready() -> dict[str, Any]:
        told: dict[str, Any] = reporter.get(at)
        assert told["state"] in ("checking", "ready"), told
        return told if told["state"] == "ready" else {}

    told = eventually(is_ready)
    assert (told["came_size"], told["came_sha256"]) == (len(TEXT), hashlib.sha256(TEXT).hexdigest())


def killed(running: Installation) -> None:
    """Kill the gateway, its worker too, and wait for the next."""
    gateway = running.stack.programs["gateway"]
    there = workers(gateway.process.pid)
    for pid in (gateway.process.pid, *there):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: gateway.running and workers(gateway.process.pid) not in ([], there))
    running.wait_until_ready()


def test_a_gateway_killed_while_bytes_arrive_goes_on_from_what_it_had(running: Installation, reporter: Person) -> None:
    at = begin(reporter)
    for _ in range(3):
        start = offset(reporter, at)
        with sending(running, reporter, at, start, TEXT[start : start + 500_000]):
            # What came is stored as soon as nothing more comes for a second.
            eventually(lambda start=start: offset(reporter, at) == start + 500_000)
            killed(running)
    go_on(reporter, at)
    arrives_whole(reporter, at)


def test_a_gateway_killed_while_it_checks_lets_the_next_do_it(running: Installation, reporter: Person) -> None:
    uploads = [begin(reporter) for _ in range(3)]
    for at in uploads:
        go_on(reporter, at)
    killed(running)
    for at in uploads:
        arrives_whole(reporter, at)


def test_a_gateway_that_is_to_end_lets_go_of_an_upload_and_the_next_goes_on(
    running: Installation, reporter: Person
) -> None:
    at = begin(reporter)
    with sending(running, reporter, at, 0, TEXT[:300_000]) as line:
        eventually(lambda: offset(reporter, at) == 300_000)
        running.end("gateway")
        assert line.recv(65_536).startswith(b"HTTP/1.1 503 ")
    running.wait_until_ready()
    go_on(reporter, at)
    arrives_whole(reporter, at)


@pytest.mark.long
def test_a_phone_that_comes_back_by_another_line_goes_on_while_the_first_is_thought_alive(
    running: Installation, reporter: Person
) -> None:
    at = begin(reporter)
    with sending(running, reporter, at, 0, TEXT[:300_000]):
        eventually(lambda: offset(reporter, at) == 300_000)
        go_on(reporter, at)
    arrives_whole(reporter, at)


def test_two_tabs_that_send_the_same_make_one_whole_file(running: Installation, reporter: Person) -> None:
    at = begin(reporter)
    with sending(running, reporter, at, 0, TEXT[:300_000]), sending(running, reporter, at, 0, TEXT[:300_000]):
        eventually(lambda: offset(reporter, at) == 300_000)
    go_on(reporter, at)
    arrives_whole(reporter, at)


def test_when_all_places_for_uploads_are_taken_everything_else_goes_on(
    running: Installation, people: People, reporter: Person
) -> None:
    taken = [(who, begin(who)) for who in (reporter, people.reporter())]
    lines = [sending(running, who, at, 0, TEXT[:1000]) for who, at in taken]
    try:
        eventually(lambda: all(offset(who, at) == 1000 for who, at in taken))
        third = begin(reporter)
        refused = send(reporter, third, 0, TEXT)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert people.submit(reporter)
        assert reporter.get("/categories")
    finally:
        for line in lines:
            line.close()
    go_on(reporter, third)
    arrives_whole(reporter, third)


def test_one_accounts_uploads_leave_a_place_for_others(running: Installation, people: People, reporter: Person) -> None:
    first, second = begin(reporter), begin(reporter)
    line = sending(running, reporter, first, 0, TEXT[:1000])
    try:
        eventually(lambda: offset(reporter, first) == 1000)
        assert send(reporter, second, 0, TEXT).status_code == 503
        other = people.reporter()
        assert send(other, begin(other), 0, TEXT).status_code == 204
    finally:
        line.close()
    go_on(reporter, second)
    arrives_whole(reporter, second)


def unanswered(lines: list[socket.socket]) -> list[socket.socket]:
    answered = select.select(lines, [], [], 0)[0]
    return [line for line in lines if line not in answered]


def test_strangers_who_send_forms_slowly_hold_one_thread(running: Installation, reporter: Person) -> None:
    """What they typed is read, to be in the form once they have logged in. Twenty of them would hold all threads."""
    body = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nCerita yang panjang\r\n--b--\r\n'
    head = "POST /laporan/baru HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    with ExitStack() as stack:
        address = "127.0.0.1", running.stack.port
        lines = [stack.enter_context(socket.create_connection(address, timeout=PATIENCE)) for _ in range(20)]
        for line in lines:
            line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-20])
        eventually(lambda: len(unanswered(lines)) == 1)
        assert reporter.get("/categories")
        [held] = unanswered(lines)
        held.sendall(body[-20:])
        answer = b""
        while b"Cerita yang panjang" not in answer:
            answer += held.recv(65_536) or pytest.fail(str(answer))


def harmed_by_a_full_disk(disk: Path) -> Callable[[], None]:
    disks.fill(disk)
    return lambda: disks.empty(disk)


def harmed_by_a_read_only_disk(disk: Path) -> Callable[[], None]:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    return lambda: subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True) and None


@pytest.mark.parametrize("harmed", [harmed_by_a_full_disk, harmed_by_a_read_only_disk])
def test_a_store_that_takes_nothing_is_a_promised_503_and_loses_nothing(
    disk: Path | None,
    running: Installation,
    people: People,
    reporter: Person,
    harmed: Callable[[Path], Callable[[], None]],
) -> None:
    if disk is None:
        return
    at = begin(reporter)
    assert send(reporter, at, 0, TEXT[:1_500_000]).status_code == 204
    mended = harmed(disk)
    try:
        for answer in (
            send(reporter, at, 1_500_000, TEXT[1_500_000:]),
            reporter.ask("POST", "/uploads", headers=TUS | {"Upload-Length": "1"}),
            reporter.ask("POST", "/uploads", files={"file": ("a.txt", BytesIO(b"x" * 100_000))}),
        ):
            assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5"), answer.text
            assert answer.json()["type"] == "urn:nkk:problem:store-away"
        assert people.submit(reporter)
    finally:
        mended()
    go_on(reporter, at)
    arrives_whole(reporter, at)


def test_an_upload_that_disappears_from_the_store_is_not_there(running: Installation, reporter: Person) -> None:
    at = begin(reporter)
    id = at.rpartition("/")[2]
    shutil.rmtree(running.stack.var / "files" / "files" / id[:2] / id)
    assert reporter.ask("HEAD", at, headers=TUS).status_code == 404
    assert send(reporter, at, 0, TEXT).status_code == 404
