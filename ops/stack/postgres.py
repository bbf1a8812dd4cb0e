"""A private PostgreSQL server with one database and role per service, for tests and measurements."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2

from nkk.store.database import TELLS_NO_TEXT
from ops.stack.broker import install_packages
from ops.stack.ports import LOOPBACK, free_port
from ops.stack.supervisor import dying_with_us

START_SECONDS = 60


class PrivatePostgres:
    """A temporary PostgreSQL server on loopback, with its data in a new folder in `under` or the system's default.

    It is durable, as by default (fsync on), unless `settings` say otherwise. Its log contains no user data. The server
    and its folder are removed at the end of the `with` block.
    """

    def __init__(self, under: Path | None = None, **settings: str) -> None:
        self._under = under
        self._settings = TELLS_NO_TEXT | settings
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "PrivatePostgres":
        self._folder = Path(tempfile.mkdtemp(prefix="nkk-postgres-", dir=self._under))
        self._as = self._unprivileged()
        self._run(
            "initdb",
            "--pgdata",
            str(self._folder / "data"),
            "--auth",
            "trust",
            "--username",
            "nkk",
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [
            _binary("postgres"),
            "-D",
            str(self._folder / "data"),
            "-k",
            str(self._folder),
            "-p",
            str(self.port),
            "-c",
            f"listen_addresses={LOOPBACK}",
            "-c",
            "max_connections=300",
            *(f"--{name}={value}" for name, value in self._settings.items()),
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                dying_with_us(command), stdout=log, stderr=log, user=self._as, cwd=self._folder, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg2.connect(self.url("postgres")).close()
                return
            except psycopg2.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server, closing its connections."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(2)  # fast shutdown
            self._process.wait(START_SECONDS)

    def log(self) -> str:
        """Return the server's log."""
        return (self._folder / "log").read_text(errors="replace")

    def url(self, database: str) -> str:
        """Return the URL of `database`."""
        return f"postgresql://nkk@{LOOPBACK}:{self.port}/{database}"

    def create(self, *databases: str, template: str = "template1") -> None:
        """Create `databases` as copies of `template`; by default they are empty."""
        connection = psycopg2.connect(self.url("postgres"))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                for database in databases:
                    cursor.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        finally:
            connection.close()

    def _unprivileged(self) -> int | None:
        """Return the user to run initdb and postgres as, and give them the folder; None for the current user.

        Both programs refuse to run as root, and use the package's own user then.
        """
        if os.geteuid() != 0:
            return None
        _binary("postgres")
        user = pwd.getpwnam("postgres").pw_uid
        os.chown(self._folder, user, -1)
        return user

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [_binary(program), *arguments], user=self._as, cwd=self._folder, check=True, stdout=subprocess.DEVNULL
        )


def _binary(name: str) -> str:
    """Return the path of the newest installed PostgreSQL's `name`; as root, install Debian's package where none is."""
    for _ in range(2):
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
        if found:
            return str(found[-1])
        if os.geteuid() != 0:
            break
        install_packages("postgresql")
    raise FileNotFoundError(f"PostgreSQL's {name} is needed: sudo apt-get install postgresql")
