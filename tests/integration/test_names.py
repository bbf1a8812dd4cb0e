"""A broker that moves to another address is found by its name."""

import json
import os
import subprocess
import sys
from pathlib import Path

from nkk.settings.keys import as_pem
from ops.stack import SERVICES
from ops.stack.keys import new_keys
from ops.stack.run import PYTHONWARNINGS, ROOT


def test_a_stage_follows_its_brokers_name_to_another_address(tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("nameko")),
        "run",
        "--config",
        "services/nameko.yaml",
        SERVICES["triage"],
    ]
    environment = os.environ | {
        "AMQP_URI": "amqp://triage:x@broker.example//",
        "DATABASE_URL": f"sqlite:///{tmp_path}/triage.db",
        "NKK_TOKEN_PUBLIC_KEY": as_pem(new_keys()["NKK_TOKEN_PUBLIC_KEY"]),
        "PYTHONWARNINGS": PYTHONWARNINGS,
    }
    alone = ["unshare", "--map-root-user", "--mount", "--net", sys.executable, "-m", "tests.moved", str(tmp_path)]
    done = subprocess.run(
        [*alone, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split() == ["first", "second"], done.stderr
    waits = [json.loads(line) for line in done.stderr.splitlines() if "waiting for the broker" in line]
    assert {line["address"] for line in waits} == {"broker.example:5672"}
    assert all("errno" in line for line in waits)
