"""The traffic: journeys on both paths, started at a steady rate over HTTP, with each request and answer recorded."""

import asyncio
import hashlib
import random
import struct
import threading
import uuid
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

import httpx
from sqlalchemy.exc import SQLAlchemyError

from ops.demo.lapsing import let_lapse
from tests.builders import complaint_form
from tests.chaos.acts import OPDS, TEXT
from tests.chaos.promises import PROMISES
from tests.chaos.record import Asked, Record, starved_so_far
from tests.people import REGISTRATION, People

REPORTERS = 6
CROWDED = 0.25
"""The share of complaints on which everybody acts whenever they may."""

MOST_OPEN = 40
"""The largest number of open journeys. Further ones are not started, but counted."""

PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.15, 1.5
RENEWED_SECONDS = 480.0
GIVE_UP_SECONDS = 90.0
"""The time after which a request counts as hanging; no promise is as long."""

TUS = {"Tus-Resumable": "1.0.0"}
FILE, PREVIEW = "is a file", "is a preview"
SIDE = 24
"""The width and height of the pictures that are sent, in pixels."""

Answer = tuple[int | None, dict[str, Any]]


AT_THE_END = "where it stood at the end"


class Left(Exception):
    """The journey ends early, as planned or because time is up."""


@dataclass
class Account:
    """A user who can log in."""

    name: str
    username: str
    password: str
    token: str = ""
    since: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Traffic:
    """Starts `rate` journeys per second between `begin` and `stop`, in a thread of its own.

    `database` is notification's, for what would take days: a question lapses.
    """

    def __init__(self, people: People, url: str, record: Record, rate: float, database: str) -> None:
        self._url = url
        self._database = database
        self._record = record
        self._rate = rate
        self._dice = random.Random(record.seed)
        credentials = people.credentials
        self._staff = {
            "operator": Account("operator", **credentials("operator")),
            "main_team": Account("main_team", **credentials("main_team")),
            **{opd: Account(opd, **credentials("opd_team", opd)) for opd in OPDS},
        }
        self._reporters: list[Account] = []
        self._at_triage: list[str] = []
        for number in range(REPORTERS):
            account = people.reporter(email=f"pelapor-{number}@example.id").account
            assert account is not None
            self._reporters.append(Account(f"reporter {number}", account["username"], account["password"]))
        self.left_out = 0
        self.carried: Counter[str] = Counter()
        # The tickets of those that should have ended and did not; empty where none was issued yet.
        self.unfinished: list[str] = []
        self._beginning, self._ending = True, False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._go()), name="traffic", daemon=True)

    def begin(self) -> None:
        """Start the traffic."""
        self._thread.start()

    def stop_beginning(self) -> None:
        """Start no further journeys; open ones continue."""
        self._beginning = False

    @property
    def under_way(self) -> int:
        """The number of open journeys."""
        return self._open

    def stop(self) -> None:
        """End every journey after its next answer."""
        self._beginning, self._ending = False, True
        self._thread.join()

    _open = 0

    async def _go(self) -> None:
        limits = httpx.Limits(max_connections=MOST_OPEN + 20, keepalive_expiry=5)
        client = httpx.AsyncClient(base_url=f"{self._url}/api/v1", timeout=GIVE_UP_SECONDS, limits=limits)
        async with client as self._http, asyncio.TaskGroup() as group:
            number, began = 0, monotonic()
            while self._beginning:
                if self._open < MOST_OPEN:
                    group.create_task(self._journey(random.Random(f"{self._record.seed} {number}")))
                else:
                    self.left_out += 1
                number += 1
                await asyncio.sleep(max(0.0, began + number / self._rate - monotonic()))

    async def _journey(self, dice: random.Random) -> None:
        # Imported here, because it imports this module.
        from tests.chaos.crowd import Crowd

        self._open += 1
        journey = (Crowd if dice.random() < CROWDED else Journey)(self, dice)
        try:
            await journey.travel()
            self.carried[journey.END] += 1
        except Left as left:
            self.carried[str(left)] += 1
            self.unfinished += [journey.ticket] if str(left) == AT_THE_END else []
        finally:
            self._open -= 1

    async def somebody(self, dice: random.Random) -> Account:
        """Return a reporter: usually an existing one, sometimes a new one."""
        if dice.random() < 0.9:
            return dice.choice(self._reporters)
        number = len(self._reporters)
        account = Account(f"reporter {number}", f"warga-{uuid.uuid4().hex[:10]}", REGISTRATION["password"])
        form = REGISTRATION | {"username": account.username, "email": f"pelapor-{number}@example.id"}
        status: int | None = None
        while status not in (201, 409):
            status, _ = await self.ask("register", account.name, "POST", "/reporters", form)
            await self.pause(0.5 if status not in (201, 409) else 0)
        self._reporters.append(account)
        return account

    async def token(self, account: Account) -> str:
        """Return an access token that remains valid for a while."""
        async with account.lock:
            while not account.token or monotonic() - account.since > RENEWED_SECONDS:
                form = {"username": account.username, "password": account.password}
                status, answer = await self.ask("log in", account.name, "POST", "/sessions", form)
                if status == 201:
                    account.token, account.since = answer["access_token"], monotonic()
                else:
                    await self.pause(0.5)
        return account.token

    async def pause(self, seconds: float) -> None:
        """Wait. Raise Left once all journeys must end."""
        await asyncio.sleep(seconds)
        if self._ending:
            raise Left(AT_THE_END)

    def person(self, name: str) -> Account:
        """Return the account of a member of the staff."""
        return self._staff[name]

    async def ask(
        self,
        operation: str,
        who: str,
        method: str,
        path: str,
        body: Any = None,
        ticket: str | None = None,
        key: str | None = None,
        token: str = "",
        part: tuple[int, bytes] | None = None,
    ) -> Answer:
        """Send and record one request. Return its status and content, or (None, {}) where no answer came.

        `part` is a part of a file, after where it begins.
        """
        headers = (
            TUS | {"Upload-Offset": str(part[0]), "Content-Type": "application/offset+octet-stream"} if part else {}
        )
        headers |= TUS | {"Upload-Length": str(body)} if operation == "begin upload" else {}
        headers |= ({"Authorization": f"Bearer {token}"} if token else {}) | ({"Idempotency-Key": key} if key else {})
        file = path.partition("/files/")[2] or None
        at, began, starved = time(), monotonic(), starved_so_far()
        try:
            sent = {"content": part[1] if part else b""} if "upload" in operation else {"json": body}
            response = await self._http.request(method, path, headers=headers, **sent)
        except httpx.TransportError as error:
            # The request was never answered: the connection broke, or timed out.
            self._record.asked.append(
                Asked(at, monotonic() - began, operation, who, None, ticket, key, type(error).__name__, file=file)
            )
            return None, {}
        took = monotonic() - began
        flaw, answer = _read(response)
        if ticket or answer.get("ticket"):
            self._show(str(ticket or answer["ticket"]), path, response.status_code, answer)
        problem = str(answer.get("type", "")).removeprefix("urn:nkk:problem:") or None if response.is_error else None
        closed = operation == "read" and (answer.get("stands") or {}).get("state") == "closed"
        self._record.asked.append(
            Asked(
                at,
                took,
                operation,
                who,
                response.status_code,
                ticket or answer.get("ticket"),
                key,
                problem,
                flaw,
                closed,
                starved_so_far() - starved,
                file,
            )
        )
        return response.status_code, answer

    def _show(self, ticket: str, path: str, status: int, answer: dict[str, Any]) -> None:
        """Record which files an answer lists or is."""
        files = answer.get("files", []) if status == 201 else []
        files = [answer | {"number": path.rpartition("/")[2]}] if FILE in answer else files
        self._record.shown += [(ticket, file["number"], file["sha256"]) for file in files]

    async def let_lapse(self, ticket: str) -> bool:
        """Let the open question about a complaint lapse; return False where none is known or its database is struck."""
        with suppress(SQLAlchemyError):
            return await asyncio.to_thread(let_lapse, self._database, ticket, datetime.now(UTC)) > 0
        return False

    def sent(self, content: bytes, ticket: str) -> None:
        """Record which ticket a file was sent for."""
        self._record.sent[hashlib.sha256(content).hexdigest()] = ticket

    def refused(self, content: bytes) -> None:
        """Record a file that was refused."""
        self._record.refused.add(hashlib.sha256(content).hexdigest())

    def crowds(self, ticket: str) -> None:
        """Record that several people act on a complaint at once."""
        self._record.crowded.add(ticket)

    @property
    def at_triage(self) -> list[str]:
        """The tickets of crowded complaints that the main team has, the newest last."""
        return self._at_triage

    def joins(self, ticket: str, first: str) -> None:
        """Record that a complaint may be joined with `first` now."""
        self._record.joined.setdefault(ticket, set()).add(first)

    def noted(self, text: str, ticket: str, status: int | None) -> None:
        """Record a request to add a note."""
        self._record.notes.setdefault(text, []).append((ticket, status))

    def chosen(self, ticket: str, numbers: list[str]) -> None:
        """Record which files the operator is about to send with an answer."""
        self._record.chosen[ticket] = set(numbers)


def _picture(dice: random.Random) -> bytes:
    """Return a PNG of random colours."""
    rows = b"".join(b"\0" + dice.randbytes(3 * SIDE) for _ in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _read(response: httpx.Response) -> tuple[str | None, dict[str, Any]]:
    """Return (what is wrong with the form of an answer, its content); of a file, its SHA-256."""
    if response.status_code == 204:
        return None, {}
    if response.is_success and response.headers.get("Content-Disposition"):
        return None, {FILE: True, "sha256": hashlib.sha256(response.content).hexdigest()}
    if response.is_success and response.headers.get("Content-Type") == "image/jpeg":
        return None, {PREVIEW: True}
    try:
        answer = response.json()
    except ValueError:
        return "no JSON", {}
    if response.is_error and response.headers.get("Content-Type") != "application/problem+json":
        return "an error that is no problem", answer
    if response.status_code == 503 and not response.headers.get("Retry-After", "").isdigit():
        return "a 503 that does not say when to come again", answer
    return None, answer


ADDS = ("submit", "hand over", "classify", "respond", "answer", "confirm")


class Journey:
    """One complaint and its users. Its course is drawn first, so that a seed always gives the same journeys."""

    END = "to the end"

    def __init__(self, traffic: Traffic, dice: random.Random) -> None:
        self._traffic = traffic
        self._dice = dice
        self.information = dice.random() < 0.35
        self.returned = not self.information and dice.random() < 0.3
        self.opd = dice.choice(OPDS)
        self.submitted_twice = dice.random() < 0.15
        self.opened = dice.random() < 0.5
        self.acts_twice = dice.random() < 0.1
        steps = 5 if self.information else 7
        self._acts_left = dice.randrange(1, steps) if dice.random() < 0.15 else steps + 5
        self.ticket = ""
        self.reported_with_file = dice.random() < 0.3
        self.responded_with_file = not self.information and dice.random() < 0.3
        self.adds_after = dice.choice(ADDS) if dice.random() < 0.4 else None
        """The operation after which the reporter adds a file."""
        self.sends_refused = dice.random() < 0.15
        self.is_picture = dice.random() < 0.3
        """Whether the files are pictures, which have previews."""
        self.is_sent_file = self.responded_with_file and dice.random() < 0.6
        """Whether the operator sends the response's file to the reporter."""

    @property
    def has_files(self) -> bool:
        """Whether files are sent in it."""
        return any((self.reported_with_file, self.responded_with_file, self.adds_after, self.sends_refused))

    @property
    def response_file(self) -> str:
        """The number of the file of the response that is approved."""
        return f"R{2 if self.returned else 1}-1"

    async def travel(self) -> None:
        """Go from the form to the receipt. Raise Left where the journey ends early."""
        self._reporter = await self._traffic.somebody(self._dice)
        await self._submit()
        await self._act("operator", "hand over", "handover")
        if self.reported_with_file:
            for person in (self._reporter, *map(self._traffic.person, ("operator", "main_team"))):
                await self._look_at_file(person, "1")
        if self.information:
            await self._act("main_team", "classify", "classification", {"kind": "information"})
        else:
            await self._through_the_opd()
        chosen = [self.response_file] if self.is_sent_file else []
        if self.responded_with_file:
            await self._look_at_file(self._traffic.person("operator"), self.response_file)
            self._traffic.chosen(self.ticket, chosen)
        await self._act("operator", "answer", "answer", TEXT | ({"files": chosen} if chosen else {}))
        if self.is_sent_file:
            await self._look_at_file(self._reporter, self.response_file)
        elif self.responded_with_file:
            path = f"/complaints/{self.ticket}/files/{self.response_file}"
            await self._ask(self._reporter, "open file", "GET", path)
        if self.opened:
            await self._open()
        else:
            await self._act(None, "confirm", "receipt")

    async def _through_the_opd(self) -> None:
        await self._act("main_team", "classify", "classification", {"kind": "complaint", "opd": self.opd})
        await self._respond()
        if self.returned:
            await self._act("main_team", "return", "approval", {"approved": False, "note": "Uraikan."})
            # Until the OPD's desk has consumed the return, it refuses a second response as already given.
            while not await self._was_returned(self.opd):
                await self._traffic.pause(PAUSE_SECONDS)
            await self._respond()
        if self.responded_with_file:
            await self._look_at_file(self._traffic.person("main_team"), self.response_file)
        await self._act("main_team", "approve", "approval", {"approved": True})

    async def _respond(self) -> None:
        files = [(await self._upload(self._traffic.person(self.opd)))[0]] if self.responded_with_file else []
        await self._act(self.opd, "respond", "response", TEXT | ({"files": files} if files else {}))
        if self.reported_with_file:
            await self._look_at_file(self._traffic.person(self.opd), "1")

    def _content(self) -> bytes:
        if self.is_picture:
            return _picture(self._dice)
        return f"Kuitansi {self._dice.getrandbits(128):032x}\n".encode() * 40

    async def _send_refused(self) -> None:
        """Send a file of an unknown kind, and add it to the report all the same, until that is refused."""
        id, content = await self._upload(self._reporter, b"\x7fELF" + self._dice.randbytes(800))
        self._traffic.refused(content)
        path = f"/complaints/{self.ticket}/supplements"
        while (await self._ask(self._reporter, "attach refused", "POST", path, {"files": [id]}))[0] != 422:
            await self._traffic.pause(PAUSE_SECONDS)

    async def _upload(self, person: Account, content: bytes = b"") -> tuple[str, bytes]:
        """Send a small file in two parts, and go on where it stands after a fault; return its id and its content.

        It is whole then, and judged.
        """
        content = content or self._content()
        while True:
            status, answer = await self._ask(person, "begin upload", "POST", "/uploads", len(content))
            if status == 201:
                break
            await self._traffic.pause(PAUSE_SECONDS)
        id = answer["uploads"][0]["id"]
        while True:
            status, answer = await self._ask(person, "look at upload", "GET", f"/uploads/{id}")
            if status == 200 and answer["state"] in ("ready", "refused"):
                return id, content
            if status == 200 and answer["state"] == "receiving":
                stands = answer["offset"]
                part = stands, content[stands : stands + len(content) // 2]
                await self._ask(person, "send upload", "PATCH", f"/uploads/{id}", part=part)
            await self._traffic.pause(PAUSE_SECONDS)

    async def _look_at_file(self, person: Account, number: str) -> None:
        """Open a file, and its preview if it has one, once it is there for this person."""
        path = f"/complaints/{self.ticket}/files/{number}"
        for part in (path, f"{path}/preview") if self.is_picture else (path,):
            while (await self._ask(person, "open file", "GET", part))[0] != 200:
                await self._traffic.pause(PAUSE_SECONDS)

    async def _add_file(self) -> None:
        """Add a file to the report, and send the same again where the answer was lost."""
        id, content = await self._upload(self._reporter)
        self._traffic.sent(content, self.ticket)
        path = f"/complaints/{self.ticket}/supplements"
        while (await self._ask(self._reporter, "supplement", "POST", path, {"files": [id]}))[0] != 201:
            await self._traffic.pause(PAUSE_SECONDS)

    async def _submit(self) -> None:
        key, form, content = uuid.UUID(int=self._dice.getrandbits(128)).hex, complaint_form(), b""
        if self.reported_with_file:
            id, content = await self._upload(self._reporter)
            form |= {"files": [id]}
            self._traffic.sent(content, "")
        times = 2 if self.submitted_twice else 1
        while times:
            status, answer = await self._ask(self._reporter, "submit", "POST", "/complaints", form, key=key)
            if status == 201:
                times -= 1
                self.ticket = answer["ticket"]
            else:
                await self._traffic.pause(self._dice.uniform(0.2, 1.0))
        if content:
            self._traffic.sent(content, self.ticket)
        if self.adds_after == "submit":
            await self._add_file()
        if self.sends_refused:
            await self._send_refused()
        self._done()

    async def _act(self, who: str | None, operation: str, path: str, body: Any = None) -> None:
        """Send one command until it is done: it may come too early, or its answer may be lost."""
        person, pause = self._traffic.person(who) if who else self._reporter, PAUSE_SECONDS
        if who and self._dice.random() < 0.2:
            await self._ask(person, "claim", "POST", f"/complaints/{self.ticket}/claim", {})
        while True:
            status, answer = await self._ask(person, operation, "POST", f"/complaints/{self.ticket}/{path}", body)
            problem = str(answer.get("type", "")).rpartition(":")[2]
            # A return that succeeded leaves nothing to return, as before the response has arrived.
            if (
                status == 200
                or problem in PROMISES[operation].done
                or (operation == "return" and problem == "no-response-yet" and await self._was_returned("main_team"))
            ):
                break
            await self._traffic.pause(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        if self.acts_twice and self._dice.random() < 0.5 and operation != "return":
            await self._ask(person, operation, "POST", f"/complaints/{self.ticket}/{path}", body)
        if self._dice.random() < 0.15:
            await self._ask(self._reporter, "timeline", "GET", f"/complaints/{self.ticket}/timeline")
        if self.adds_after == operation:
            self.adds_after = None
            await self._add_file()
        self._done()

    async def _was_returned(self, who: str) -> bool:
        """Return whether the first response is returned at the desk of `who`."""
        status, shown = await self._ask(self._traffic.person(who), "look", "GET", f"/complaints/{self.ticket}")
        return status == 200 and (shown["round"], shown["stands"]["state"]) == (1, "awaiting_response")

    async def _open(self) -> None:
        """Read as the reporter until the answer is there, which receives it."""
        while True:
            status, answer = await self._ask(self._reporter, "read", "GET", f"/complaints/{self.ticket}")
            if status == 200 and answer["stands"]["state"] == "closed":
                return
            await self._traffic.pause(self._dice.uniform(0.2, 1.0))

    async def _ask(
        self,
        person: Account,
        operation: str,
        method: str,
        path: str,
        body: Any = None,
        key: str | None = None,
        part: tuple[int, bytes] | None = None,
    ) -> Answer:
        token = await self._traffic.token(person)
        status, answer = await self._traffic.ask(
            operation, person.name, method, path, body, self.ticket or None, key, token, part
        )
        if status == 401:
            person.token = ""
        return status, answer

    def _done(self) -> None:
        self._acts_left -= 1
        if self._acts_left == 0:
            raise Left("where it was left")
