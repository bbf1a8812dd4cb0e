"""A website's entry is sent again after the gateway died in the middle of it: it is one report, with one code."""

import os
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from kombu import Connection

from nkk.messaging.topology import calls_queue
from ops.stack.broker import PrivateNode
from tests.builders import entry_form
from tests.faults.trial import CALL_SECONDS
from tests.installations import PATIENCE, Installation, eventually, installation, new_vhost
from tests.people import People, Person


@pytest.fixture
def running(tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode) -> Iterator[Installation]:
    settings = {"NKK_RPC_TIMEOUT": str(CALL_SECONDS)}
    with installation(tmp_path_factory.mktemp("entries"), new_vhost(rabbit), settings=settings) as found:
        yield found


def calls_waiting(running: Installation) -> int:
    with Connection(running.uri) as connection:
        return connection.default_channel.queue_declare(calls_queue("intake").name, passive=True).message_count


def gateway(running: Installation) -> list[int]:
    """Return the gateway's processes, of which the first starts the others again."""
    process = running.stack.programs["gateway"].process
    assert process is not None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [process.pid, *map(int, children)]


def test_an_entry_whose_gateway_dies_is_sent_again_and_is_one_report(running: Installation) -> None:
    people = People(running)
    website = people.website()
    headers, entry, answers = {"Idempotency-Key": uuid.uuid4().hex}, entry_form(), []

    def send() -> None:
        with httpx.Client(base_url=running.url, timeout=PATIENCE) as http:
            try:
                answers.append(Person(http, website.token).ask("POST", "/entries", entry, headers=headers).status_code)
            except httpx.TransportError:
                answers.append(0)

    running.take_down("intake-1")
    sending = threading.Thread(target=send)
    sending.start()
    eventually(lambda: calls_waiting(running) == 1)
    for pid in gateway(running):
        os.kill(pid, signal.SIGKILL)
    running.bring_up("intake-1")
    sending.join()
    running.wait_until_ready()

    def again() -> httpx.Response:
        try:
            answer = website.ask("POST", "/entries", entry, headers=headers)
        except httpx.TransportError as error:
            raise AssertionError(str(error)) from None
        assert answer.status_code == 201, answer.text
        return answer

    first = eventually(again)
    assert again().json() == first.json()
    assert [item["ticket"] for item in website.get("/entries")["items"]] == [first.json()["ticket"]]
    assert first.json()["ticket"] in people.operator.desk("intake")
    assert answers == [0]
    people.close()
