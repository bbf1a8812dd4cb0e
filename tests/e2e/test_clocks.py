"""Clocks as users see them: in worklists, timelines and letters, and on the command line."""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from nkk.sop import steps
from nkk.sop.calendar import read_calendar
from nkk.sop.clock import WIB, Calendar
from nkk.store.database import Database
from tests.forks import run_nkk
from tests.installations import Installation, eventually
from tests.letters import posted
from tests.people import People, travel_as_complaint

# Timers and their locks are tested on both databases in tests/integration/test_alarms.py.
DATABASES = ["postgres"]

ALWAYS_OPEN = [[["00:00", "23:59"]]] * 7
TEAMS = {
    "operator": {"email": "operator@example.id", "superior_email": "kabid@example.id"},
    "main_team": {"email": "tim-utama@example.id", "superior_email": None},
    "opd_team": {"disdukcapil": {"email": "tim@example.id", "superior_email": "kadis@example.id"}},
}


@pytest.fixture
def calendar(people: People) -> Iterator[dict[str, Any]]:
    """Yield the newest calendar, and restore its content, because other tests use it."""
    standing = people.admin.get("/calendar")
    yield standing
    now = people.admin.get("/calendar")
    if now["calendar"] != standing["calendar"]:
        form = {"version": now["version"], "calendar": standing["calendar"]}
        assert people.admin.ask("PUT", "/calendar", form).status_code == 200


def changed(people: People, **parts: Any) -> Calendar:
    """Replace `parts` of the calendar; return it once every stage starts clocks by it."""
    now = people.admin.get("/calendar")
    answer = people.admin.ask("PUT", "/calendar", {"version": now["version"], "calendar": now["calendar"] | parts})
    assert answer.status_code == 200, answer.text
    version = answer.json()["version"]
    assert version == now["version"] + 1

    def in_force() -> bool:
        ticket = travel_as_complaint(people, people.reporter())
        asked = record(people, ticket)
        return {fact["calendar"] for fact in asked["facts"]} == {version}

    eventually(in_force)
    return read_calendar(answer.json()["calendar"], version)


def record(people: People, ticket: str) -> dict[str, Any]:
    """Return what notification has recorded of a journey."""
    with Database(people.installation.stack.database_url("notification"), size=1).reading() as connection:
        rows = connection.execute(
            text("SELECT type, at, round, calendar FROM entries WHERE ticket = :ticket"), {"ticket": ticket}
        ).all()
    return {"facts": [row._asdict() for row in rows]}


def instant(text_: str) -> datetime:
    return datetime.fromisoformat(text_)


def make_late(installation: Installation, stage: str, table: str, ticket: str) -> None:
    """Set a case's clock a day back."""
    database = Database(installation.stack.database_url(stage), size=1)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    value = yesterday.replace(tzinfo=None) if database.is_sqlite else yesterday
    with database.writing() as connection:
        connection.execute(
            text(f"UPDATE {table} SET came_at = :then, due_at = :then, tell_at = :then WHERE ticket = :ticket"),
            {"then": str(value) if database.is_sqlite else value, "ticket": ticket},
        )
    database.dispose()


def letters(installation: Installation, ticket: str) -> Counter[tuple[str, str]]:
    """Count the letters about a ticket by (recipient, first words of the subject)."""
    found: Counter[tuple[str, str]] = Counter()
    for message in posted(installation.stack.var / "mail"):
        if ticket in message["Subject"]:
            found[message["To"], message["Subject"].partition(":")[0]] += 1
    return found


def test_a_worklist_shows_when_each_came_is_due_and_what_is_left(people: People) -> None:
    ticket = people.submit(people.reporter())
    content = people.admin.get("/calendar")
    rules = read_calendar(content["calendar"], content["version"])
    row = next(
        row for row in people.operator.get("/desks/intake", params={"limit": 200})["items"] if row["ticket"] == ticket
    )
    assert instant(row["due_at"]) == rules.due(instant(row["came_at"]), steps.HAND_OVER.minutes)
    assert instant(row["service_due_at"]) == rules.due(instant(row["came_at"]), steps.SERVICE_MINUTES)
    assert (row["done_at"], row["left_minutes"] <= 10, row["service_left_minutes"] <= 900) == (None, True, True)
    assert row["service_left_minutes"] > row["left_minutes"] >= 0


def test_a_case_shows_its_clock_at_every_desk_and_that_it_is_done(people: People) -> None:
    reporter = people.reporter()
    ticket = travel_as_complaint(people, reporter)
    for person in (people.main_team, people.opd_team("disdukcapil")):
        view = person.get(f"/complaints/{ticket}")
        assert view["came_at"] <= view["done_at"]
        assert (view["left_minutes"], view["late"]) == (None, False)
    # Operator and reporter see the clock of step 7, which is the reporter's and is never late.
    for view in (people.operator.get(f"/complaints/{ticket}"), reporter.get(f"/complaints/{ticket}")):
        assert view["came_at"] < view["due_at"]
        assert view["late"] is None
        assert view["answer"]["came_at" if "came_at" in view["answer"] else "sent_at"]


def test_the_reporters_timeline_shows_what_was_promised_and_what_it_took(people: People) -> None:
    reporter = people.reporter()
    ticket = travel_as_complaint(people, reporter)
    told = eventually(lambda: (found := reporter.get(f"/complaints/{ticket}/timeline"))["next"]["step"] == 7 and found)
    assert [entry["step"] for entry in told["entries"]] == [1, 2, 3, 4, 5, 6]
    assert [entry["minutes"] for entry in told["entries"]] == [15, 10, 120, 900, 10, 30]
    first, *others = told["entries"]
    assert (first["came_at"], first["used_minutes"]) == (None, None)
    for before, entry in zip(told["entries"], others, strict=False):
        assert entry["came_at"] == before["at"]
        assert entry["due_at"] > entry["came_at"]
        assert (entry["used_minutes"], entry["late"]) == (0, False)
    assert told["next"]["due_at"] > told["next"]["came_at"]
    assert told["next"]["left_minutes"] <= 5


def test_a_changed_calendar_counts_for_new_clocks_and_never_for_those_that_run(people: People, calendar: dict) -> None:
    ticket = people.submit(people.reporter())
    before = people.operator.get(f"/complaints/{ticket}")
    rules = changed(people, week=ALWAYS_OPEN)
    assert people.operator.get(f"/complaints/{ticket}")["due_at"] == before["due_at"]
    later = people.operator.get(f"/complaints/{people.submit(people.reporter())}")
    assert instant(later["due_at"]) == rules.due(instant(later["came_at"]), 10)


def test_a_late_step_is_told_of_once_to_the_team_and_once_to_its_superior(people: People, calendar: dict) -> None:
    changed(people, week=ALWAYS_OPEN, days={}, seasons=[])
    assert people.admin.ask("PUT", "/teams", TEAMS).json() == TEAMS
    installation, ticket = people.installation, people.submit(people.reporter())
    make_late(installation, "intake", "complaints", ticket)
    expected = {("operator@example.id", "Terlambat"): 1, ("kabid@example.id", "Terlambat di tim Anda"): 1}

    def told() -> bool:
        found = letters(installation, ticket)
        return all(found[key] == count for key, count in expected.items())

    eventually(told)
    people.operator.act(f"/complaints/{ticket}/handover")
    make_late(installation, "triage", "cases", eventually(lambda: ticket in people.main_team.desk("triage")) and ticket)
    eventually(lambda: letters(installation, ticket)["tim-utama@example.id", "Terlambat"])
    found = letters(installation, ticket)
    assert {key: found[key] for key in expected} == expected
    told_events = [row for row in outbox(installation, "intake", ticket) if row.startswith("step.")]
    assert told_events == ["step.overdue.v1"]


def outbox(installation: Installation, stage: str, ticket: str) -> list[str]:
    """Return the types of the events about a ticket that a stage has published."""
    with Database(installation.stack.database_url(stage), size=1).reading() as connection:
        rows = connection.execute(
            text("SELECT type FROM outbox WHERE subject = :ticket ORDER BY id"), {"ticket": ticket}
        )
        return list(rows.scalars())


def test_a_letter_to_a_team_waits_for_the_offices_to_open(people: People, calendar: dict) -> None:
    open_day = (datetime.now(WIB) + timedelta(days=2)).weekday()
    changed(people, week=[[["00:00", "23:59"]] if day == open_day else [] for day in range(7)], days={}, seasons=[])
    people.admin.ask("PUT", "/teams", TEAMS)
    ticket = people.submit(people.reporter())
    make_late(people.installation, "intake", "complaints", ticket)
    eventually(lambda: "step.overdue.v1" in outbox(people.installation, "intake", ticket))
    eventually(lambda: waiting(people.installation, ticket) == 2)
    assert not [to for to, _ in letters(people.installation, ticket) if to == "operator@example.id"]
    # The step is done now, so the letters are out of date.
    people.operator.act(f"/complaints/{ticket}/handover")
    changed(people, week=ALWAYS_OPEN, days={}, seasons=[])
    assert not [to for to, _ in letters(people.installation, ticket) if to == "operator@example.id"]


def waiting(installation: Installation, ticket: str) -> int:
    """Return the number of unsent letters to teams about a ticket."""
    with Database(installation.stack.database_url("notification"), size=1).reading() as connection:
        return connection.execute(
            text("SELECT count(*) FROM messages WHERE ticket = :ticket AND team IS NOT NULL AND sent_at IS NULL"),
            {"ticket": ticket},
        ).scalar_one()


def nkk(installation: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `nkk` for this installation."""
    return run_nkk(*arguments, environment=os.environ | {"NKK_VAR": str(installation.stack.var)})


def test_every_clock_of_a_complaint_can_be_proved_on_the_command_line(people: People) -> None:
    reporter = people.reporter()
    ticket = travel_as_complaint(people, reporter)
    eventually(lambda: reporter.get(f"/complaints/{ticket}/timeline")["next"]["step"] == 7)
    proof = nkk(people.installation, "clock", ticket)
    assert proof.returncode == 0, proof.stderr
    for number in (2, 3, 4, 5, 6, 7):
        assert f"Langkah {number}" in proof.stdout
    assert "Seluruh layanan" in proof.stdout
    assert proof.stdout.count("jatuh tempo") == 7
    assert proof.stdout.count("kalender versi") == 7
    assert "tepat waktu" in proof.stdout


@pytest.mark.parametrize(
    ("ticket", "said"), [("NKK-2026-0000-0000", "There is no complaint"), ("NKK-2026-XXXX-XXXX", "copy all of it")]
)
def test_a_ticket_that_is_none_is_not_proved(people: People, ticket: str, said: str) -> None:
    asked = nkk(people.installation, "clock", ticket)
    assert asked.returncode != 0
    assert said in asked.stderr
    assert "Traceback" not in asked.stderr


@pytest.mark.parametrize(
    ("month", "said"),
    [("2099-01", "not begun"), ("2026-13", "Write the month as 2026-03."), ("maret", "Write the month as 2026-03.")],
)
def test_a_month_that_cannot_be_reported_is_refused_in_a_sentence(
    people: People, tmp_path: Path, month: str, said: str
) -> None:
    asked = nkk(people.installation, "report", month, "--output", str(tmp_path / "rekap.xlsx"))
    assert asked.returncode == 1
    assert said in asked.stderr
    assert "Traceback" not in asked.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("where", "why"), [("missing/rekap.xlsx", "No such file or directory"), ("file/rekap.xlsx", "Not a directory")]
)
def test_a_file_that_cannot_be_written_is_told_in_a_sentence_with_what_to_do(
    people: People, tmp_path: Path, where: str, why: str
) -> None:
    (tmp_path / "file").touch()
    asked = nkk(people.installation, "report", f"{datetime.now(WIB):%Y-%m}", "--output", str(tmp_path / where))
    assert (asked.returncode, asked.stdout) == (1, "")
    assert asked.stderr == (
        f"Error: {tmp_path / where} cannot be written: {why}. Name a file in a folder that is "
        "there and that you may write to, with --output.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_month_is_reported_to_a_file(people: People, tmp_path: Path) -> None:
    file = tmp_path / "rekap.pdf"
    month = f"{datetime.now(WIB):%Y-%m}"
    asked = nkk(people.installation, "report", month, "--format", "pdf", "--output", str(file))
    assert (asked.returncode, asked.stderr) == (0, f"written: {file}\n")
    assert file.read_bytes().startswith(b"%PDF")
