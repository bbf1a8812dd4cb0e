"""A queue that somebody declared otherwise by hand: the stage says so and ends, instead of waiting for ever."""

import subprocess
import sys
from pathlib import Path

import pytest
from kombu import Connection

from ops.stack.broker import PrivateNode
from ops.stack.run import ROOT
from tests.e2e.faults.trial import Trial
from tests.installations import new_vhost


@pytest.mark.parametrize("queue", ["triage.inbox", "triage.quarantine", "triage.calls"])
def test_a_queue_with_other_arguments_ends_the_stage_with_a_sentence(
    sqlite_trial: Trial, rabbit: PrivateNode, queue: str
) -> None:
    uri = new_vhost(rabbit)
    with Connection(uri) as connection:
        connection.default_channel.queue_declare(queue, durable=True, auto_delete=False, arguments={"x-max-length": 7})
    stack = sqlite_trial.installation.stack
    environment = stack.environment("triage") | {"AMQP_URI": uri, "DATABASE_URL": stack.database_url("triage")}
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("nameko")),
            "run",
            "--config",
            str(ROOT / "services" / "nameko.yaml"),
            stack.services["triage"],
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "the broker refuses this queue: its arguments" in done.stderr
    assert queue in done.stderr
