"""A webhook while faults strike: its process is killed again and again, and its receiver fails and hangs."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from standardwebhooks.webhooks import Webhook as Verifier

from nkk.clock import utc_now
from nkk.store.database import Database
from nkk.store.migrations import upgrade
from ops import tools
from ops.broker_api import BrokerApi
from ops.stack.run import ROOT, without_account
from ops.stack.supervisor import dying_with_us
from tests.chaos.accountant.tools import Received
from tests.receivers import HOST, Authority, Request, answers, receiver
from webhooks.domain import tool_of
from webhooks.signing import new_secret
from webhooks.storage import Sealed, Store

NAME = "kasus"
LIVES_SECONDS = (3.0, 20.0)
HANGS_SECONDS = 2.0
LOOKS_SECONDS = 0.2

# Its pauses are short, so that what failed last arrives soon after the faults have ended.
PROCESS = """
from datetime import timedelta
from webhooks import domain, process
domain.FIRST_PAUSE, domain.LONGEST_PAUSE = timedelta(seconds=0.2), timedelta(seconds=2)
process.main()
"""


class Posted:
    """A webhook of triage, and what its receiver accepted."""

    def __init__(self, secret: str, environment: dict[str, str], log: Path, seed: int) -> None:
        self._secret = secret
        self._environment = environment
        self._log = log
        self._chance = Random(f"{NAME} {seed}")
        self._stopping = threading.Event()
        self._calm = threading.Event()
        self._lock = threading.Lock()
        self._ids: list[str] = []
        self._troubles: list[str] = []
        self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def calm(self) -> None:
        """Let the process live and its receiver accept everything from now on, as all other faults have ended.

        Else a process that is killed while it still starts would never send anything on a busy machine.
        """
        self._calm.set()

    def stop(self) -> None:
        self._stopping.set()
        self._calm.set()
        self._thread.join()

    def received(self) -> Received:
        """Return what was accepted until now, in its order."""
        with self._lock:
            return Received(tool_of(NAME), "triage", None, list(self._ids), list(self._troubles))

    def behave(self, handler: Any, request: Request) -> None:
        """Accept most requests, and fail or hang at the others."""
        with self._lock:
            status = 200 if self._calm.is_set() else self._chance.choice([200] * 12 + [204] * 4 + [500, 503, 301, 0])
            if 200 <= status < 300:
                try:
                    self._ids.append(Verifier(self._secret).verify(request.body, request.headers)["id"])
                except Exception as error:  # noqa: BLE001
                    self._troubles.append(f"a request was not signed as it should: {type(error).__name__}")
        if status:
            answers(status)(handler, request)
        else:
            self._calm.wait(HANGS_SECONDS)
            handler.close_connection = True

    def _run(self) -> None:
        """Run the process, kill it after a while, and begin again."""
        while not self._stopping.is_set():
            with self._log.open("ab") as log:
                process = subprocess.Popen(
                    dying_with_us([sys.executable, "-c", PROCESS]), env=self._environment, stderr=log
                )
            if not self._calm.wait(self._chance.uniform(*LIVES_SECONDS)):
                process.kill()
                process.wait()
                continue
            # It may end by itself all the same.
            while process.poll() is None and not self._stopping.wait(LOOKS_SECONDS):
                pass
            process.kill()
            process.wait()


@contextmanager
def posting(api: BrokerApi, uri: str, seed: int, folder: Path) -> Iterator[Posted]:
    """Post triage's events, through the broker at `uri`, while faults strike."""
    folder.mkdir()
    url, key, authority = f"sqlite:///{folder}/webhooks.db", Fernet.generate_key().decode(), Authority(folder)
    upgrade(ROOT / "webhooks" / "migrations", url)
    environment = os.environ | {
        "AMQP_URI": without_account(uri),
        "WEBHOOKS_DATABASE_URL": url,
        "NKK_WEBHOOKS_KEYS": key,
        "NKK_WEBHOOKS_ALLOWED": HOST,
        "NKK_WEBHOOKS_CA": str(authority.file),
        "NKK_PULSE_FOLDER": str(folder / "pulse"),
        "PYTHONPATH": str(ROOT),
    }
    secret = new_secret()
    found = Posted(secret, environment, folder / "log", seed)
    with receiver(authority.issue(), found.behave) as door:
        tool = tools.Tool(tool_of(NAME), "triage")
        database = Database(url)
        sealed = Sealed(door.url, tools.add(api, tool), secret)
        Store(database, [key]).add(NAME, f"https://{urlsplit(door.url).netloc}", "triage", None, [], sealed, utc_now())
        database.dispose()
        found.start()
        try:
            yield found
        finally:
            found.stop()
