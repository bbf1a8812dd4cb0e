"""The environment of a run: its own broker and database server, and installations on them, started when needed."""

import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import psycopg2

from bench.site import Site, running
from nkk.contracts import STAGES
from ops.stack.broker import SERVER, PrivateNode, install_packages
from ops.stack.postgres import PrivatePostgres

DURABILITY = ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method")


class Workplace:
    """The environment of every section. With `quick` only the bench itself is tried, and the figures mean nothing."""

    def __init__(self, folder: Path, quick: bool = False) -> None:
        self.folder = folder
        self.quick = quick
        self._held = ExitStack()
        self._site = ExitStack()
        self._shared: Site | None = None
        self._known: dict[str, str] = {}

    def __enter__(self) -> "Workplace":
        if not SERVER.exists():
            install_packages("rabbitmq-server")
        self.postgres = self._held.enter_context(PrivatePostgres())
        self._keep_commit_times()
        self.node = self._held.enter_context(PrivateNode(self.folder / "rabbitmq"))
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        self._held.close()

    def size(self, full: int, quick: int) -> int:
        """Return `full`, or `quick` where only the bench is tried."""
        return quick if self.quick else full

    def site(self) -> Site:
        """Return the shared installation with everybody logged in anew, started where it does not run."""
        if self._shared is None:
            self._shared = self._site.enter_context(self.installation("site"))
        self._shared.admit_people()
        return self._shared

    def clear(self) -> None:
        """Stop the shared installation, because the next section needs the whole machine."""
        self._shared = None
        self._site.close()

    def installation(
        self, name: str, scale: Mapping[str, int] | None = None, services: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Site]:
        """Return a context that runs an installation whose folder, databases and virtual host are called `name`."""
        urls = {stage: self.postgres.url(f"{name}_{stage}") for stage in STAGES}
        if name not in self._known:
            self.postgres.create(*(f"{name}_{stage}" for stage in STAGES))
            self._known[name] = self.node.new_vhosts(name)[0]
        return running(self.folder / name, self._known[name], urls, scale, services)

    def durability(self) -> dict[str, str]:
        """Return the server's durability settings, which hold for every connection."""
        with psycopg2.connect(self.postgres.url("postgres")) as connection, connection.cursor() as cursor:
            found = {}
            for name in DURABILITY:
                cursor.execute(f"SHOW {name}")
                found[name] = cursor.fetchone()[0]
            return found

    def _keep_commit_times(self) -> None:
        """Make the server store the commit time of each transaction."""
        connection = psycopg2.connect(self.postgres.url("postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        connection.close()
        self.postgres.stop()
        self.postgres.start()


def say(what: str) -> None:
    """Print progress to stderr."""
    print(f"{what} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)
