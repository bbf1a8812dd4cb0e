"""The script that makes the services' databases, on a real server."""

import os
import subprocess

import psycopg2
import pytest

from ops.stack.postgres import PrivatePostgres
from ops.stack.run import ROOT


@pytest.fixture
def server() -> PrivatePostgres:
    with PrivatePostgres(fsync="off", autovacuum="off") as server:
        yield server


def make(server: PrivatePostgres, *services: str, **passwords: str) -> int:
    """Run the script as the container does, but on this server."""
    environment = {
        "PATH": os.environ["PATH"],
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "POSTGRES_USER": "nkk",
    }
    given = {f"POSTGRES_{name.upper()}_PASSWORD": password for name, password in passwords.items()}
    script = ROOT / "deploy" / "postgres" / "databases.sh"
    return subprocess.run(["bash", script, *services], env=environment | given, check=False).returncode


def who(server: PrivatePostgres) -> list[tuple[str, str]]:
    """Return the databases and their owners."""
    connection = psycopg2.connect(server.url("postgres"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname, rolname FROM pg_database JOIN pg_roles ON datdba = pg_roles.oid ORDER BY 1")
        found = cursor.fetchall()
    connection.close()
    return [row for row in found if row[0] == row[1]]


def test_a_database_is_made_beside_those_that_are_there_and_only_once(server: PrivatePostgres) -> None:
    stages = {"intake": "a", "triage": "b", "opd_response": "c", "notification": "d"}
    assert make(server, **stages) == 0
    assert who(server) == [(name, name) for name in sorted(stages)]
    for _ in range(2):
        assert make(server, "webhooks", webhooks="e") == 0
        assert ("webhooks", "webhooks") in who(server)
    assert make(server, "webhooks") != 0, "without a password"
