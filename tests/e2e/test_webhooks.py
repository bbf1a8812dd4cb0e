"""A webhook added to a running installation: its process starts by itself, and the stages' events arrive signed."""

import json
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from ops.stack.broker import PrivateNode
from tests.forks import run_nkk
from tests.installations import Installation, eventually, installation, new_vhost
from tests.people import People
from tests.receivers import HOST, Authority, receiver


def nkk(running: Installation, broker: PrivateNode, *arguments: str, **settings: str) -> Any:
    """Run `nkk` beside the installation, by whose file it finds everything but the broker's management API."""
    environment = {"NKK_BROKER_API": broker.api, **settings}
    return run_nkk("--var", str(running.stack.var), *arguments, environment=environment)


def test_the_first_webhook_starts_the_process_and_a_complaint_is_told_to_its_receiver(
    managed_rabbit: PrivateNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("NKK_WEBHOOKS_ALLOWED", HOST)
    monkeypatch.setenv("NKK_WEBHOOKS_CA", str(authority.file))
    with (
        receiver(authority.issue()) as good,
        installation(tmp_path / "var", new_vhost(managed_rabbit)) as running,
    ):
        assert len(nkk(running, managed_rabbit, "webhooks", "list").stdout.splitlines()) == 1
        assert "webhooks" not in running.stack.programs, "looking does not create a database"
        added = nkk(running, managed_rabbit, "webhooks", "add", good.url, "--name", "kasus", "--stage", "intake")
        assert added.returncode == 0, added.stderr
        eventually(lambda: nkk(running, managed_rabbit, "health", "webhooks").returncode == 0)
        people = People(running)
        ticket = people.submit(people.reporter())
        eventually(lambda: good.got)
        event = Verifier(added.stdout.strip()).verify(good.got[0].body, good.got[0].headers)
        assert (event["type"], event["subject"]) == ("complaint.submitted.v2", ticket)
        environment = running.stack.programs["webhooks"].environment
        assert not {name for name in environment if name in running.stack.keys} - {"NKK_WEBHOOKS_KEYS"}
        assert "@" not in environment["AMQP_URI"]

        good.behave = lambda handler, _request: handler.send_error(500)
        people.submit(people.reporter())
        eventually(lambda: "webhook kasus: nothing arrives" in nkk(running, managed_rabbit, "status").stdout)
        running.kill("webhooks")
        running.end("triage-1")
        (row,) = json.loads(nkk(running, managed_rabbit, "webhooks", "list", "--json").stdout)
        assert (row["waiting"], row["last_answer"]) == (1, "500")
        log = running.log("webhooks")
        assert not [word for word in (ticket, "whsec_", "/kasus", "Traceback") if word in log]
        # The broker is other tests' too, and names of tools are the whole broker's.
        assert nkk(running, managed_rabbit, "webhooks", "remove", "kasus", "--yes").returncode == 0
        people.close()
