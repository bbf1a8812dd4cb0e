"""A queue that somebody declared otherwise by hand: the stage says so and ends, instead of waiting for ever."""

from pathlib import Path

import pytest
from kombu import Connection

from ops.stack.broker import PrivateNode
from ops.stack.run import ROOT
from tests.faults.trial import Trial
from tests.forks import server
from tests.installations import new_vhost


@pytest.mark.parametrize("queue", ["triage.inbox", "triage.quarantine", "triage.calls"])
def test_a_queue_with_other_arguments_ends_the_stage_with_a_sentence(
    sqlite_trial: Trial, rabbit: PrivateNode, tmp_path: Path, queue: str
) -> None:
    uri = new_vhost(rabbit)
    with Connection(uri) as connection:
        connection.default_channel.queue_declare(queue, durable=True, auto_delete=False, arguments={"x-max-length": 7})
    stack = sqlite_trial.installation.stack
    environment = stack.environment("triage") | {"AMQP_URI": uri, "DATABASE_URL": stack.database_url("triage")}
    command = ["nameko", "run", "--config", str(ROOT / "services" / "nameko.yaml"), stack.services["triage"]]
    assert server("nameko").start(command, environment, tmp_path / "log").wait(60) != 0
    assert "the broker refuses this queue: its arguments" in (tmp_path / "log").read_text()
