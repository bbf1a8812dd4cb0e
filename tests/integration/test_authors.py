"""The authors of complaints: what notification stores of them, and what earlier versions stored in the clear."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import MetaData, insert, select, update

from nkk.contracts.events import ComplaintSubmitted, ComplaintSubmittedV1, PasswordResetRequested, ReporterRegistered
from nkk.sop.refusals import UnknownTicket
from nkk.sop.ticket import new_ticket
from nkk.store.database import Database
from nkk.store.work import AlreadyHandledError
from nkk.trust.actor import Actor
from nkk.trust.sealing import CannotOpenError
from services.intake import retelling
from services.intake.storage import accounts, outbox, reporters
from services.notification import authors
from services.notification.mail import Mailer
from services.notification.storage import Messages, contacts, journeys, keyed_contacts, messages
from tests.builders import REPORT, TICKET, heard
from tests.stages import KEYED, REPORTER, VAULT, House, house

OTHER = replace(REPORTER, id="reporter-2")
FORM = REPORT | {"confidential": True}


@pytest.fixture
def stages(url_of: Callable[[str], str]) -> Iterator[House]:
    """Yield the four stages, with two reporters."""
    with house(url_of) as built:
        with built.databases["intake"].writing() as connection:
            connection.execute(
                insert(accounts).values(
                    id=OTHER.id,
                    login_index="y",
                    password_hash="y",
                    role="reporter",
                    failed_attempts=0,
                    created_at=built.now,
                )
            )
            connection.execute(insert(reporters).values(id=OTHER.id, kind="public", identity="y"))
        yield built


def submit(stages: House, *actors: Actor) -> list[str]:
    tickets = [stages.do("intake", "submit", actor, FORM)["ticket"] for actor in actors]
    stages.deliver()
    return tickets


def tables(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of a database, by table."""
    found = MetaData()
    with database.writing() as connection:
        found.reflect(connection)
    with database.reading() as connection:
        return {
            name: [dict(row._mapping) for row in connection.execute(select(table))]
            for name, table in found.tables.items()
        }


def about(held: dict[str, list[dict[str, Any]]], ticket: str) -> set[str]:
    """Return every value that is in one row with a ticket."""
    return {
        f"{name} {value}"
        for rows in held.values()
        for row in rows
        if ticket in map(str, row.values())
        for name, value in row.items()
        if value is not None
    } - {f"ticket {ticket}"}


def reads(stages: House, actor: Actor, ticket: str) -> bool:
    """Return whether `actor` may see the complaint; every method must decide alike."""
    notification = stages.services["notification"]
    seen = set()
    for command in ("timeline", "read_answer", "open_answer"):
        try:
            stages.do("notification", command, actor, ticket)
            seen.add(True)
        except UnknownTicket:
            seen.add(False)
    seen.add(ticket in stages.do("notification", "standings", actor, [ticket]))
    with notification.uow.reading() as work:
        seen.add(notification.wrote(work.journeys.get(ticket), actor))
    (said,) = seen
    return said


def test_a_copy_of_notification_does_not_say_which_reports_have_one_author(stages: House) -> None:
    first, second, others = submit(stages, REPORTER, REPORTER, OTHER)
    held = tables(stages.databases["notification"])
    for reporter in (REPORTER, OTHER):
        assert reporter.id not in str(held)
        assert KEYED.reporter(reporter.id) not in str([held[name] for name in held if name != "keyed_contacts"])
    # Two reports of one author have no more in common than two reports of different authors.
    assert about(held, first) & about(held, second) == about(held, first) & about(held, others)
    assert [reads(stages, REPORTER, ticket) for ticket in (first, second, others)] == [True, True, False]
    assert [reads(stages, OTHER, ticket) for ticket in (first, second, others)] == [False, False, True]


def test_what_intake_tells_of_two_reports_of_one_author_does_not_say_so(stages: House) -> None:
    submit(stages, REPORTER, REPORTER, OTHER)
    told = [event for _, event in stages.told]
    assert [event.type for event in told] == ["complaint.submitted.v2"] * 3
    assert {event.data.channel for event in told} == {"web"}
    assert len({event.data.sealed_reporter for event in told}) == 3
    with stages.databases["intake"].reading() as connection:
        bodies = connection.execute(select(outbox.c.body)).scalars().all()
    assert not [body for body in bodies if REPORTER.id in body or OTHER.id in body]


def submitted_v1(stages: House, ticket: str, reporter: Actor) -> ComplaintSubmittedV1:
    return ComplaintSubmittedV1(
        ticket=ticket,
        reporter_id=reporter.id,
        reporter_kind="public",
        category="kode-perilaku",
        sub_category="disiplin",
        confidential=False,
        submitted_at=stages.now,
        service_due_at=stages.now + timedelta(days=2),
    )


@pytest.fixture
def before(stages: House, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Actor]]:
    """Store complaints as an earlier version did, more than fit into a few batches; return (ticket, author) of each."""
    monkeypatch.setattr(authors, "BATCH", 3)
    whose = [(new_ticket(2026), REPORTER if number % 2 else OTHER) for number in range(8)]
    for ticket, author in whose:
        stages.services["notification"].on_complaint_submitted_v1(
            heard(submitted_v1(stages, ticket, author), stages.now, event_id=f"event {ticket}")
        )
    with stages.databases["notification"].writing() as connection:
        for author in (REPORTER, OTHER):
            connection.execute(
                insert(contacts).values(
                    reporter_id=author.id,
                    changed_at=stages.now,
                    sealed_contact=VAULT.seal_for_notification({"email": f"{author.id}@example.id"}),
                )
            )
            connection.execute(
                insert(messages).values(
                    id=f"code {author is OTHER}",
                    kind="password_reset",
                    reporter_id=author.id,
                    sealed_letter="box",
                    expires_at=stages.now,
                    created_at=stages.now,
                    next_try_at=stages.now,
                    tries=0,
                )
            )
    return whose


def letters(stages: House) -> dict[str, str]:
    """Return the address to which each letter about a complaint goes, by ticket."""
    mailer = Mailer()
    mailer._key, mailer._keyed = KEYED._private_key, KEYED
    with stages.databases["notification"].writing() as connection:
        connection.execute(update(messages).where(messages.c.ticket.is_not(None)).values(next_try_at=stages.now))
        rows = [row for row in Messages(connection).due(stages.now, 100) if row.ticket]
        boxes = mailer._contacts(connection, rows)
    return {row.ticket: mailer._address(row, boxes[row.id]) for row in rows}


def test_what_a_version_before_kept_in_the_clear_is_kept_so_no_longer_and_means_the_same(
    stages: House, before: list[tuple[str, Actor]]
) -> None:
    def all_is_as_it_should_be() -> bool:
        assert [reads(stages, author, ticket) for ticket, author in before] == [True] * len(before)
        assert [reads(stages, REPORTER, ticket) for ticket, _ in before] == [who == REPORTER for _, who in before]
        assert letters(stages) == {ticket: f"{author.id}@example.id" for ticket, author in before}
        return True

    notification = stages.services["notification"]
    assert all_is_as_it_should_be()
    # After each batch the process could crash: everything works then too, and the next start continues.
    while notification._hide_batch():
        assert all_is_as_it_should_be()
    held = tables(stages.databases["notification"])
    assert REPORTER.id not in str(held)
    assert OTHER.id not in str(held)
    assert len(held["keyed_contacts"]) == 2
    assert {row["reporter"] for row in held["messages"] if row["kind"] == "password_reset"} == {
        KEYED.reporter(REPORTER.id),
        KEYED.reporter(OTHER.id),
    }
    notification.hide_reporters()
    assert tables(stages.databases["notification"]) == held


def test_a_batch_that_is_not_committed_changes_nothing(
    stages: House, before: list[tuple[str, Actor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = tables(stages.databases["notification"])

    def power_fails(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr("services.notification.storage.Plain.hide_code", power_fails)
    with pytest.raises(OSError):  # noqa: PT011
        stages.services["notification"].hide_reporters()
    assert tables(stages.databases["notification"]) == held


def test_a_new_address_takes_the_place_of_one_kept_by_a_version_before(
    stages: House, before: list[tuple[str, Actor]]
) -> None:
    later = stages.now + timedelta(hours=2)
    told = ReporterRegistered(
        reporter_id=REPORTER.id,
        reporter_kind="public",
        sealed_contact=VAULT.seal_for_notification({"email": "baru@example.id"}),
    )
    stages.services["notification"].on_reporter_registered(heard(told, later))
    with stages.databases["notification"].reading() as connection:
        kept = connection.execute(select(keyed_contacts)).all()
        plain = connection.execute(select(contacts.c.reporter_id)).scalars().all()
        farewells = connection.execute(select(messages).where(messages.c.kind == "contact_changed")).all()
    assert [(row.reporter, row.sealed_contact) for row in kept] == [(KEYED.reporter(REPORTER.id), told.sealed_contact)]
    assert plain == [OTHER.id]
    assert len(farewells) == 1
    assert {to for ticket, to in letters(stages).items() if (ticket, REPORTER) in before} == {"baru@example.id"}


def test_the_same_submission_told_again_in_the_new_shape_has_one_effect(
    stages: House, before: list[tuple[str, Actor]]
) -> None:
    ticket, author = before[0]
    body = submitted_v1(stages, ticket, author).to_json(f"event {ticket}", stages.now)
    again = ComplaintSubmitted.read(retelling.sealed(body, VAULT))
    with pytest.raises(AlreadyHandledError):
        stages.services["notification"].on_complaint_submitted(again)


def test_intake_tells_nothing_again_that_names_an_author(stages: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retelling, "BATCH", 3)
    intake = stages.services["intake"]
    told: list[Any] = [submitted_v1(stages, new_ticket(2026), REPORTER) for _ in range(7)]
    told.insert(3, PasswordResetRequested(reporter_id=OTHER.id, sealed_letter="box", expires_at=stages.now))
    with intake.uow.begin() as work:
        work.emit(*told, at=stages.now)
    with stages.databases["intake"].writing() as connection:
        # Half of them were published before, the others are unsent.
        connection.execute(update(outbox).where(outbox.c.id <= 4).values(sent_at=stages.now))
        rows = connection.execute(select(outbox).order_by(outbox.c.id)).all()
    intake.seal_told()
    with stages.databases["intake"].reading() as connection:
        sealed = connection.execute(select(outbox).order_by(outbox.c.id)).all()
    same = ("id", "event_id", "exchange", "subject", "mandatory", "correlation_id", "created_at", "sent_at")
    assert [[getattr(row, name) for name in same] for row in sealed] == [
        [getattr(row, name) for name in same] for row in rows
    ]
    assert [row.type for row in sealed] == [
        "complaint.submitted.v2" if row.type == "complaint.submitted.v1" else row.type for row in rows
    ]
    for row in sealed:
        if row.type == "complaint.submitted.v2":
            assert REPORTER.id not in row.body
            event = ComplaintSubmitted.read(row.body)
            assert (event.id, event.subject) == (row.event_id, row.subject)
            assert KEYED.open_reporter(event.data.sealed_reporter, row.subject) == REPORTER.id
    assert intake._seal_batch(0) is None


def test_a_box_of_another_complaint_begins_no_journey(stages: House) -> None:
    data = ComplaintSubmitted(
        ticket=TICKET,
        sealed_reporter=VAULT.seal_reporter(new_ticket(2026), REPORTER.id),
        reporter_kind="public",
        category="kode-perilaku",
        sub_category="disiplin",
        confidential=False,
        submitted_at=stages.now,
        service_due_at=stages.now,
    )
    with pytest.raises(CannotOpenError, match="another complaint"):
        stages.services["notification"].on_complaint_submitted(heard(data, stages.now))
    with stages.databases["notification"].reading() as connection:
        assert connection.execute(select(journeys)).all() == []
