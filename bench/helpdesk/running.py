"""Installs and runs django-helpdesk beside the product, in a virtual environment and on a database of its own."""

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg2

from ops.stack.ports import LOOPBACK, listening_socket
from ops.stack.postgres import PrivatePostgres
from ops.stack.supervisor import Program, Supervisor

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
VENV = Path("var/bench/helpdesk-venv")
READY_SECONDS = 60
WORKERS = 2


@dataclass(frozen=True)
class Way:
    """A configuration: gunicorn's worker class and threads, and whether database connections are kept open."""

    name: str
    arguments: tuple[str, ...]
    tuned: bool


DOCUMENTED = Way("as documented", ("--worker-class", "sync"), tuned=False)
"""gunicorn's default worker, as in the start script of the standalone project."""
TUNED = Way("tuned", ("--worker-class", "gthread", "--threads", "16", "--keep-alive", "15"), tuned=True)
"""The product's own worker class, threads and keep-alive, and database connections that are kept open."""


@dataclass(frozen=True)
class Helpdesk:
    """A running django-helpdesk."""

    way: Way
    port: int
    pid: int
    queue: int
    database: str

    def tickets(self) -> int:
        """Return the number of tickets in its database."""
        with psycopg2.connect(self.database) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM helpdesk_ticket")
            return cursor.fetchone()[0]


def install() -> Path:
    """Return the virtual environment with django-helpdesk, created where none matches the lock file."""
    venv, marker = VENV.absolute(), VENV.absolute() / "requirements.txt"
    if not marker.exists() or marker.read_bytes() != REQUIREMENTS.read_bytes():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run(
            [
                str(venv / "bin" / "pip"),
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
                "-r",
                str(REQUIREMENTS),
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        shutil.copy(REQUIREMENTS, marker)
    return venv


@contextmanager
def running(folder: Path, postgres: PrivatePostgres, *ways: Way) -> Iterator[list[Helpdesk]]:
    """Run django-helpdesk with a public queue for each of `ways`, on one database, and yield the ready ones."""
    venv, supervisor = install(), Supervisor(lambda line: print(line, file=sys.stderr))
    database = "helpdesk"
    postgres.create(database)
    (folder / "media").mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "PYTHONPATH": str(HERE.absolute()),
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "HELPDESK_SECRET_KEY": secrets.token_urlsafe(48),
        "HELPDESK_DATABASE": database,
        "HELPDESK_DATABASE_PORT": str(postgres.port),
        "HELPDESK_MEDIA": str(folder / "media"),
    }
    queue = _prepared(venv, environment)
    try:
        yield [_started(venv, folder, supervisor, environment, way, queue, postgres.url(database)) for way in ways]
    finally:
        supervisor.stop()


def _prepared(venv: Path, environment: dict[str, str]) -> int:
    """Create the tables, and return the id of the public queue."""
    python = [str(venv / "bin" / "python"), "-W", "ignore"]
    subprocess.run([*python, "-m", "django", "migrate", "--verbosity", "0"], env=environment, check=True)
    made = subprocess.run(
        [
            *python,
            "-c",
            (
                "import django; django.setup()\n"
                "from helpdesk.models import Queue\n"
                "print(Queue.objects.create(title='Pengaduan', slug='pengaduan', allow_public_submission=True).id)"
            ),
        ],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(made.stdout)


def _started(
    venv: Path, folder: Path, supervisor: Supervisor, environment: dict[str, str], way: Way, queue: int, database: str
) -> Helpdesk:
    with listening_socket() as door:
        program = Program(
            f"django-helpdesk, {way.name}",
            [
                str(venv / "bin" / "gunicorn"),
                "project.wsgi:application",
                "--bind",
                f"fd://{door.fileno()}",
                "--workers",
                str(WORKERS),
                "--timeout",
                "60",
                "--preload",
                *way.arguments,
            ],
            environment | ({"HELPDESK_TUNED": "1"} if way.tuned else {}),
            folder / f"{way.name}.log",
            (door,),
        )
        supervisor.start(program)
        port = door.getsockname()[1]
        _wait_until_ready(port, program)
        return Helpdesk(way, port, program.process.pid, queue, database)


def _wait_until_ready(port: int, program: Program) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            httpx.get(f"http://{LOOPBACK}:{port}/tickets/submit/", timeout=10).raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > deadline or not program.running:
                raise
            time.sleep(0.1)
