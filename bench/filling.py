"""Fills the four databases of an installation with complaints, as the product itself would store them.

The product carries one complaint of each kind as far as its kind goes. The database then copies each row that this
created in any table, replacing ticket, ids and reporter consistently and shifting the times: the rows obey the schema
whatever it is, and the four databases agree. To save time and disk, rows of the outbox and the inbox are made only for
every fourth complaint and without the events' bodies, since no read uses them.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg2

from bench.accepting import LETTERS, until
from bench.site import COMPLAINT, INFORMATION, Site
from nkk.contracts import STAGES
from nkk.sop.ticket import new_ticket
from services.notification.keyed import Keyed

KINDS = {
    "information": INFORMATION,
    "complaint": COMPLAINT,
    "at intake": COMPLAINT[:1],
    "at triage": COMPLAINT[:2],
    "at opd": COMPLAINT[:3],
    "at answers": INFORMATION[:3],
}
"""The steps that each kind of complaint has passed."""
CLOSED = ("information", "complaint")
OPEN = tuple(kind for kind in KINDS if kind not in CLOSED)

APART_SECONDS = 30
"""The time between two closed complaints: a million in a year."""
PER_REPORTER = 5
SPARED = 4
OURS = 480
"""How many complaints of each filling belong to reporters who can log in; the others belong to mere rows."""

_STEP = 17_001
"""An odd step, so that its multiples never repeat a ticket number. It is chosen so that two million tickets ascend, and
an index is filled from one end instead of at random."""
_YEAR = 2026

_TICKETS = """CREATE UNLOGGED TABLE IF NOT EXISTS bench_new (
    n bigint, kind text, ticket text, reporter_id text, author text, back interval, ahead interval)"""
_COLUMNS = """SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position"""
_TABLES = """SELECT DISTINCT table_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name IN ('ticket', 'subject') AND table_name <> 'bench_new'
    UNION SELECT 'inbox'"""


@dataclass(frozen=True)
class New:
    """A complaint to make: its `number` and its reporter."""

    number: int
    kind: str
    ticket: str
    reporter_id: str
    author: str

    def row(self) -> str:
        """Return the complaint as a line for COPY. Open ones arrived a moment ago and are due in a month, so that none
        is overdue while it is measured; closed ones lie in the past."""
        back = f"{self.number * APART_SECONDS} s" if self.kind in CLOSED else f"{self.number % 100_000} ms"
        ahead = f"-{back}" if self.kind in CLOSED else f"30 days {self.number} ms"
        return "\t".join((str(self.number), self.kind, self.ticket, self.reporter_id, self.author, back, ahead)) + "\n"


class Filler:
    """Adds complaints to the databases of `site`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._keyed = Keyed(site.stack.keys["NKK_NOTIFICATION_PRIVATE_KEY"])
        self._ours = sorted(row[0] for row in site.query("intake", "SELECT id FROM accounts WHERE role = 'reporter'"))
        self._tickets = numbered_tickets()
        self._templates = {kind: self._carried(steps) for kind, steps in KINDS.items()}
        self._settle()
        self._events = {kind: self._events_of(ticket) for kind, ticket in self._templates.items()}

    def add(self, counts: Mapping[str, int]) -> list[New]:
        """Add complaints of each kind by count, and return those that belong to reporters who can log in."""
        made = list(self._new(counts))
        strangers = sorted({each.reporter_id for each in made} - set(self._ours))
        rows = "".join(each.row() for each in made)
        with ThreadPoolExecutor(len(STAGES)) as pool:
            list(pool.map(lambda stage: self._fill(stage, rows, strangers), STAGES))
        return [each for each in made if each.reporter_id in self._ours]

    def _new(self, counts: Mapping[str, int]) -> Iterator[New]:
        done = 0
        for kind, many in counts.items():
            for ours in range(many):
                number, ticket = next(self._tickets)
                mine = ours < OURS // len(counts)
                reporter = self._ours[done % len(self._ours)] if mine else _stranger(number // PER_REPORTER)
                done += 1
                yield New(number, kind, ticket, reporter, self._keyed.author(ticket, reporter))

    def _carried(self, steps: tuple[str, ...]) -> str:
        done = self._site.walk(self._site.scripts(1, steps), 1)
        if not done["walked"]:
            raise RuntimeError(f"not carried: {done['refused']}")
        return done["walked"][0]["ticket"]

    def _settle(self) -> None:
        """Wait until every event of the carried complaints has been consumed."""

        def told_is_heard() -> bool:
            unsent = sum(
                self._site.query(stage, "SELECT count(*) FROM outbox WHERE sent_at IS NULL")[0][0] for stage in STAGES
            )
            return unsent == 0 and self._site.query("notification", LETTERS)[0][0] == 0

        wanted = {
            "triage": ("cases", ("complaint", "information", "at triage", "at opd", "at answers")),
            "opd_response": ("cases", ("complaint", "at opd")),
            "notification": ("answers", ("complaint", "information", "at answers")),
        }
        for stage, (table, kinds) in wanted.items():
            tickets = [self._templates[kind] for kind in kinds]
            until(
                lambda stage=stage, table=table, tickets=tickets: (
                    self._site.query(stage, f"SELECT count(*) FROM {table} WHERE ticket = ANY(%s)", tickets)[0][0]
                    == len(tickets)
                ),
                f"{stage} to have what was carried",
            )
        until(told_is_heard, "everything told to be heard")

    def _events_of(self, ticket: str) -> list[str]:
        return [
            row[0]
            for stage in STAGES
            for row in self._site.query(stage, "SELECT event_id FROM outbox WHERE subject = %s", ticket)
        ]

    def _fill(self, stage: str, rows: str, strangers: list[str]) -> None:
        connection = psycopg2.connect(self._site.stack.database_url(stage))
        try:
            with connection, connection.cursor() as cursor:
                # Rows are made together with those they refer to, so foreign keys need no check.
                cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off; " + _TICKETS)
                cursor.execute("TRUNCATE bench_new")
                cursor.copy_expert("COPY bench_new FROM STDIN", io.StringIO(rows))
                self._add_people(cursor, stage, strangers)
                cursor.execute(_TABLES)
                for (table,) in cursor.fetchall():
                    self._multiply(cursor, table)
                cursor.execute("DROP TABLE bench_new")
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("VACUUM (ANALYZE)")
        finally:
            connection.close()

    def _multiply(self, cursor: "psycopg2.extensions.cursor", table: str) -> None:
        cursor.execute(_COLUMNS, (table,))
        known = dict(cursor.fetchall())
        columns = {name: value for name, kind in known.items() if (value := replaced(name, kind))}
        some = f"new.n %% {SPARED} = 0" if table in ("outbox", "inbox") else "true"
        for kind, ticket in self._templates.items():
            where = (
                "t.ticket = %(ticket)s"
                if "ticket" in known
                else "t.subject = %(ticket)s"
                if "subject" in known
                else "t.event_id = ANY(%(events)s)"
            )
            cursor.execute(
                f'INSERT INTO "{table}" ({", ".join(_quoted(columns))}) SELECT {", ".join(columns.values())} '
                f'FROM "{table}" t CROSS JOIN bench_new new WHERE new.kind = %(kind)s AND {where} AND {some} '
                "ORDER BY new.n",
                {"ticket": ticket, "events": self._events[kind], "kind": kind},
            )

    def _add_people(self, cursor: "psycopg2.extensions.cursor", stage: str, ids: list[str]) -> None:
        """Add reporters like the first one of those who can log in, but without a user name to log in with."""
        tables = {"intake": {"accounts": "id", "reporters": "id"}, "notification": {"keyed_contacts": "reporter"}}
        first = self._ours[0]
        if stage == "notification":
            first, ids = self._keyed.reporter(first), [self._keyed.reporter(id_) for id_ in ids]
        for table, key in tables.get(stage, {}).items():
            cursor.execute(_COLUMNS, (table,))
            columns = {name: f't."{name}"' for name, _ in cursor.fetchall()} | {key: "new.id"}
            if "login_index" in columns:
                columns["login_index"] = "md5(new.id) || md5(new.id)"
            cursor.execute(
                f'INSERT INTO "{table}" ({", ".join(_quoted(columns))}) '
                f'SELECT {", ".join(columns.values())} FROM "{table}" t '
                f"CROSS JOIN unnest(%s::text[]) AS new(id) WHERE t.{key} = %s",
                (ids, first),
            )


def numbered_tickets() -> Iterator[tuple[int, str]]:
    """Yield (number, ticket) endlessly: numbers ascend, and no ticket repeats."""
    number = 0

    def step(below: int) -> int:
        nonlocal number
        number += 1
        return number * _STEP % below

    while True:
        ticket = new_ticket(_YEAR, step)
        yield number, ticket


def replaced(name: str, kind: str) -> str | None:
    """Return the SQL for the column `name` of the type `kind` in a copied row; None where the database generates it."""
    if name == "id" and kind in ("bigint", "integer"):
        return None
    if name in ("ticket", "subject"):
        return "new.ticket"
    if name == "reporter_id":
        return 'CASE WHEN t."reporter_id" IS NOT NULL THEN new.reporter_id END'
    if name == "author":
        return "new.author"
    if name in ("id", "event_id", "idempotency_key"):
        return f"""(lpad(to_hex(new.n), 8, '0') || substr(md5(t."{name}"), 9))::uuid::text"""
    if name == "body":
        return "'{}'"
    if kind == "timestamp with time zone":
        return f'CASE WHEN t."{name}" > now() THEN t."{name}" + new.ahead ELSE t."{name}" - new.back END'
    return f't."{name}"'


def _quoted(names: Mapping[str, str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _stranger(number: int) -> str:
    digest = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
