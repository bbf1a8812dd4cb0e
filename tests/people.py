"""The people of the procedure, who use an installation over HTTP only."""

import base64
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from nkk.messaging.rpc_client import RpcClient
from nkk.sop.clock import WIB
from ops.stack.staff import Admin, ensure_demonstration_staff
from tests.builders import complaint_form
from tests.installations import PATIENCE, Installation, eventually

PASSWORD = "rahasia-sekali-42"

RENEWED_BEFORE = timedelta(minutes=5)
"""How long before its expiry an access token is renewed, and so how long tests can use `Person.token` elsewhere."""

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR4nGMUiUphwAaYsIoOWgkAqSQA4tSOXWYAAAAASUVORK5CYII="
)
"""A small picture, as PNG."""

REGISTRATION = {
    "kind": "public",
    "identity_number": "1971014107900001",
    "name": "Siti Rahmawati Binti Contoh",
    "email": "siti.rahmawati@example.id",
    "phone": "+62 812 0000 0000",
    "password": PASSWORD,
}


@dataclass
class Person:
    """A client of the API, logged in or not."""

    http: httpx.Client
    token: str | None = None
    account: Mapping[str, Any] | None = None
    session: Mapping[str, Any] | None = None

    def ask(self, method: str, path: str, json: Any = None, **kwargs: Any) -> httpx.Response:
        """Send one request to the API; return the response, whatever its status."""
        headers = dict(kwargs.pop("headers", {})) | self._authorization()
        return self.http.request(method, f"/api/v1{path}", json=json, headers=headers, **kwargs)

    def status(self, method: str, path: str, json: Any = None) -> int:
        """Return the status of one request, without waiting for the end of an endless response."""
        with self.stream(method, path, json=json) as response:
            return response.status_code

    def stream(self, method: str, path: str, **kwargs: Any) -> AbstractContextManager[httpx.Response]:
        """Send one request; return its response as a stream."""
        headers = dict(kwargs.pop("headers", {})) | self._authorization()
        return self.http.stream(method, f"/api/v1{path}", headers=headers, **kwargs)

    def _authorization(self) -> dict[str, str]:
        """Return the Authorization header.

        As in a real client, a log-in is renewed before it expires, because an installation's tests may take longer.
        """
        if self.session and datetime.now(UTC) > datetime.fromisoformat(self.session["expires_at"]) - RENEWED_BEFORE:
            response = self.http.post(
                "/api/v1/sessions/current/renewal", json={"refresh_token": self.session["refresh_token"]}
            )
            # Renewal fails where a test has ended the session: then the request is sent with the old token.
            if response.status_code == 200:
                self.session = {**self.session, **response.json()}
                self.token = self.session["access_token"]
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def get(self, path: str, **kwargs: Any) -> Any:
        """Return the JSON at `path`; the status must be 200."""
        response = self.ask("GET", path, **kwargs)
        assert response.status_code == 200, (response.status_code, response.text)
        return response.json()

    def post(self, path: str, json: Any = None, expect: int = 200, **kwargs: Any) -> Any:
        """POST to `path`; the status must be `expect`."""
        response = self.ask("POST", path, json=json, **kwargs)
        assert response.status_code == expect, (response.status_code, response.text)
        return response.json()

    def upload(self, content: bytes = PICTURE, name: str = "bukti.png") -> str:
        """Send a file; return the upload's id once it is checked and not refused."""
        headers = self._authorization()
        response = self.http.post("/api/v1/uploads", files={"file": (name, content)}, headers=headers)
        assert response.status_code == 201, (response.status_code, response.text)
        [sent] = response.json()["uploads"]

        def ready() -> bool:
            upload = self.get(f"/uploads/{sent['id']}")
            assert upload["state"] != "refused", upload
            return bool(upload["state"] == "ready")

        eventually(ready)
        return str(sent["id"])

    def act(self, path: str, json: Any = None) -> Any:
        """Repeat `post` until the complaint's event has reached this desk."""
        return eventually(lambda: self.post(path, json))

    def desk(self, name: str) -> list[str]:
        """Return the tickets on all pages of a desk's worklist."""
        tickets, cursor = [], None
        while True:
            page = self.get(f"/desks/{name}", params={"cursor": cursor} if cursor else {})
            tickets += [item["ticket"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return tickets


class People:
    """All people of an installation."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.http = httpx.Client(base_url=installation.url, timeout=PATIENCE)
        self.anyone = Person(self.http)
        with self._command_line() as admin:
            self._staff = ensure_demonstration_staff(admin, installation.stack.var / "staff.json")
        self._log_staff_in()

    def reopen(self) -> None:
        """Reset all staff passwords and log the staff in, because a test's admin may have disabled accounts."""
        everybody = [
            account
            for found in self._staff.values()
            for account in ([found] if "username" in found else found.values())
        ]
        with self._command_line() as admin:
            for account in everybody:
                admin.call_sealed("reset_staff", account)
        self._log_staff_in()

    def reopen_one(self, account: Mapping[str, Any]) -> None:
        """Enable one staff account, and give it its password again. Its sessions end at intake."""
        with self._command_line() as admin:
            admin.call_sealed("reset_staff", {name: account[name] for name in ("username", "password")})

    def _log_staff_in(self) -> None:
        self.operator = self.log_in(**self._staff["operator"])
        self.main_team = self.log_in(**self._staff["main_team"])
        self.admin = self.log_in(**self._staff["admin"])

    def opd_team(self, opd: str) -> Person:
        """Return the helper team of an OPD, logged in."""
        return self.log_in(**self._staff["opd_team"][opd])

    def credentials(self, role: str, opd: str | None = None) -> dict[str, str]:
        """Return a staff member's user name and password, for logging in other than by the API."""
        found = self._staff[role]
        return found[opd] if opd else found

    def reporter(self, **changed: Any) -> Person:
        """Register a new reporter; return them logged in."""
        username = f"warga-{uuid.uuid4().hex[:10]}"
        # An address of their own, because the letters per hour to one address are limited.
        account = {**REGISTRATION, "username": username, "email": f"{username}@example.id", **changed}
        self.anyone.post("/reporters", account, expect=201)
        person = self.log_in(account["username"], account["password"])
        person.account = account
        return person

    def website(self, name: str | None = None) -> Person:
        """Add a website; return its server, logged in."""
        name = name or f"situs-{uuid.uuid4().hex[:8]}"
        secret = self.keep_website("add_website", name)["secret"]
        server = self.log_in(name, secret)
        server.account = {"username": name, "password": secret}
        return server

    def keep_website(self, method: str, name: str) -> Any:
        """Return intake's answer to a command about the website `name`."""
        with self._command_line() as admin:
            return admin.call_sealed(method, {"name": name})

    def log_in(self, username: str, password: str) -> Person:
        """Log in; return the client."""
        session = self.anyone.post("/sessions", {"username": username, "password": password}, expect=201)
        return Person(self.http, session["access_token"], session=session)

    def submit(self, reporter: Person, key: str | None = None, **changed: Any) -> str:
        """Submit a report; return its ticket."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return reporter.post("/complaints", complaint_form(**changed), expect=201, headers=headers)["ticket"]

    def __enter__(self) -> "People":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.http.close()

    @contextmanager
    def _command_line(self) -> Iterator[Admin]:
        keys = json.loads((self.installation.stack.var / "keys.json").read_text())
        client = RpcClient(self.installation.uri, timeout=PATIENCE)
        try:
            yield Admin(client, keys)
        finally:
            client.close()


def travel_as_information(people: People, reporter: Person, **changed: Any) -> str:
    """Carry a report through the information path up to the sent answer; return its ticket."""
    ticket = people.submit(reporter, **changed)
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "information", "note": "Jawab langsung."})
    people.operator.act(f"/complaints/{ticket}/answer", {"text": "Jam pelayanan 07.30 sampai 16.00."})
    return ticket


def travel_as_complaint(people: People, reporter: Person, opd: str = "disdukcapil", **changed: Any) -> str:
    """Carry a report through the complaint path up to the sent answer; return its ticket."""
    ticket = people.submit(reporter, **changed)
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": opd})
    people.opd_team(opd).act(f"/complaints/{ticket}/response", {"text": "Petugas telah ditegur secara tertulis."})
    people.main_team.act(f"/complaints/{ticket}/approval", {"approved": True})
    people.operator.act(f"/complaints/{ticket}/answer", {"text": "Petugas yang Anda laporkan telah ditegur."})
    return ticket


def month_of(person: Person, ticket: str) -> str:
    """Return the month of a report's submission in WIB; the journey must have begun."""
    told = person.get(f"/complaints/{ticket}/timeline")
    # Until notification has the journey, the gateway tells its first step, and not when the next is due.
    assert told["next"] or told["stands"]["step"] is None
    return f"{datetime.fromisoformat(told['submitted_at']).astimezone(WIB):%Y-%m}"
