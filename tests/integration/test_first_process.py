"""`nkk` as the first process (PID 1) of a container, for which the kernel installs no default signal handlers."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from ops.stack.run import PYTHONWARNINGS, ROOT, declare_topology
from tests.installations import eventually


def test_a_subscription_that_is_the_first_process_ends_when_told_to(tmp_path: Path, uri: str) -> None:
    declare_topology(uri)
    said = tmp_path / "said"
    with said.open("wb") as file:
        alone = subprocess.Popen(
            [
                "unshare",
                "--map-root-user",
                "--pid",
                "--fork",
                "--kill-child",
                sys.executable,
                "-m",
                "ops.cli",
                "subscribe",
                "triage",
                "--as",
                "first",
            ],
            cwd=ROOT,
            stderr=file,
            env=os.environ | {"AMQP_URI": uri, "PYTHONWARNINGS": PYTHONWARNINGS},
        )
    try:
        eventually(lambda: "listening to triage" in said.read_text())
        (child,) = Path(f"/proc/{alone.pid}/task/{alone.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGTERM)
        assert alone.wait(20) == 128 + signal.SIGTERM
    finally:
        alone.kill()
        alone.wait()
