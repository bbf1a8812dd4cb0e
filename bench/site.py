"""The installation that is measured, with everything the product runs, on loopback, and its users."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg2

from bench import load, processes
from nkk.messaging.rpc_client import RpcClient
from nkk.sop.steps import Role
from ops.stack import SERVICES
from ops.stack.run import Stack
from ops.stack.staff import Admin, ensure_demonstration_staff

UNLIMITED = {f"NKK_LIMIT_{name}": "1000000/minute" for name in ("REGISTRATION", "LOGIN", "SUBMISSION", "UPLOADS")}
UNLIMITED |= {"NKK_LETTERS_AN_HOUR": "0", "NKK_UPLOADS_MB": "100000"}
REPORTERS = 16
CONNECTIONS = 8
"""The number of concurrent clients, for every service that is measured."""

FRESH_SECONDS = 420
PASSWORD = "rahasia-sekali-42"
OPD = "disdukcapil"

FORM = {
    "claimed_kind": "complaint",
    "category": "kode-perilaku",
    "sub_category": "disiplin",
    "subject_line": "Loket tutup sebelum waktunya",
    "place": "Loket 3, kantor pelayanan",
    "happened_on": "Senin, 2 Maret 2026",
    "accused_position": "Petugas loket",
    "accused_opd": OPD,
    "text": "Loket pelayanan ditutup pukul 14.00 padahal antrean masih panjang. " * 4,
}

_ACT = "/api/v1/complaints/{ticket}/"
STEPS = {
    "submit": {"as": "reporter", "path": "/api/v1/complaints", "body": FORM},
    "hand_over": {"as": Role.OPERATOR, "path": _ACT + "handover", "body": {}},
    "inform": {"as": Role.MAIN_TEAM, "path": _ACT + "classification", "body": {"kind": "information"}},
    "forward": {"as": Role.MAIN_TEAM, "path": _ACT + "classification", "body": {"kind": "complaint", "opd": OPD}},
    "respond": {"as": Role.OPD_TEAM, "path": _ACT + "response", "body": {"text": "Petugas telah ditegur tertulis."}},
    "approve": {"as": Role.MAIN_TEAM, "path": _ACT + "approval", "body": {"approved": True}},
    "answer": {"as": Role.OPERATOR, "path": _ACT + "answer", "body": {"text": "Petugas tersebut telah ditegur."}},
    "receive": {"as": "reporter", "path": _ACT + "receipt", "body": {}},
}
INFORMATION = ("submit", "hand_over", "inform", "answer", "receive")
COMPLAINT = ("submit", "hand_over", "forward", "respond", "approve", "answer", "receive")


class Site:
    """A ready installation with its users logged in."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.tokens: dict[str, str] = {}
        """The access tokens of the staff, by role."""
        self.reporters: list[str] = []
        """The access tokens of the reporters."""
        self.beside: dict[str, int] = {}
        """The pids, by name, of processes outside the installation whose processor time counts too."""
        self._accounts: list[dict[str, str]] = []
        self._staff_accounts: dict[str, dict[str, str]] = {}
        self._admitted = 0.0

    def admit_people(self) -> None:
        """Log everybody in, after registering the reporters where needed. Tokens last a quarter of an hour."""
        with httpx.Client(base_url=f"{self.stack.url}/api/v1", timeout=30) as http:
            self._accounts = self._accounts or [_register(http) for _ in range(REPORTERS)]
            self._staff_accounts = self._staff_accounts or self._staff()
            self.tokens = {role: _log_in(http, account) for role, account in self._staff_accounts.items()}
            self.reporters = [_log_in(http, account) for account in self._accounts]
        self._admitted = time.monotonic()

    def scripts(self, count: int, *paths: tuple[str, ...]) -> list[load.Script]:
        """Return `count` scripts by different reporters, over `paths` in turn."""
        if time.monotonic() - self._admitted > FRESH_SECONDS:
            self.admit_people()
        return [
            {"steps": paths[number % len(paths)], "reporter": self.reporters[number % REPORTERS]}
            for number in range(count)
        ]

    def walk(self, scripts: list[load.Script], connections: int, rate: float = 0) -> dict[str, Any]:
        """Run `scripts`; see `load.run`."""
        site = {"port": self.stack.port, "tokens": self.tokens, "steps": STEPS}
        return load.run(site, scripts, connections, rate)

    def pids(self) -> dict[str, list[int]]:
        """Return the pids of every process by name; the gateway's master comes before its workers."""
        programs = self.stack.programs.items()
        return processes.ours(
            {name: program.process.pid for name, program in programs if program.process is not None} | self.beside
        )

    def query(self, stage: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of one query to a stage's database."""
        connection = psycopg2.connect(self.stack.database_url(stage))
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall()
        finally:
            connection.close()

    def _staff(self) -> dict[str, dict[str, str]]:
        keys = json.loads((self.stack.var / "keys.json").read_text())
        client = RpcClient(self.stack.amqp_uri, timeout=20)
        try:
            staff = ensure_demonstration_staff(Admin(client, keys), self.stack.var / "staff.json")
        finally:
            client.close()
        return {
            Role.OPERATOR: staff[Role.OPERATOR],
            Role.MAIN_TEAM: staff[Role.MAIN_TEAM],
            Role.OPD_TEAM: staff[Role.OPD_TEAM][OPD],
        }


@contextmanager
def running(
    folder: Path,
    uri: str,
    urls: Mapping[str, str],
    scale: Mapping[str, int] | None = None,
    services: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """Run an installation in `folder` with the product's settings except its rate limits, and yield it when ready.
    `urls` are the stages' databases; `scale` and `services` are those of `Stack`."""
    stack = Stack(
        folder,
        echo=print,
        settings=UNLIMITED,
        databases=urls,
        scale=scale or {},
        services=SERVICES | dict(services or {}),
    )
    with stack.up(uri):
        yield Site(stack)


def _register(http: httpx.Client) -> dict[str, str]:
    account = {"username": f"warga-{uuid.uuid4().hex[:10]}", "password": PASSWORD}
    person = {
        "kind": "public",
        "identity_number": "1971014107900001",
        "name": "Siti Rahmawati Binti Contoh",
        "email": "siti.rahmawati@example.id",
    }
    http.post("/reporters", json=account | person).raise_for_status()
    return account


def _log_in(http: httpx.Client, account: dict[str, str]) -> str:
    return http.post("/sessions", json=account).raise_for_status().json()["access_token"]
