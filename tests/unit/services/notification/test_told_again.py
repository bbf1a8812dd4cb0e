"""The letters of a stage that was restored to an earlier state and consumes later events again."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select

from nkk.contracts.events import PasswordResetRequested, ReporterRegistered, StepOverdue
from services.notification.storage import metadata, teams
from tests.builders import REPORT, heard
from tests.stages import REPORTER, house

LATER = ("inbox", "messages", "entries", "journeys", "keyed_contacts")


@pytest.fixture
def stages(tmp_path):
    with house(lambda stage: f"sqlite:///{tmp_path}/{stage}.db") as built:
        with built.databases["notification"].writing() as connection:
            connection.execute(
                insert(teams).values(team="operator", email="desk@example.id", superior_email="head@example.id")
            )
        yield built


def registered(box, at):
    return heard(ReporterRegistered(reporter_id=REPORTER.id, reporter_kind="public", sealed_contact=box), at)


def test_they_are_the_same_letters(stages):
    ticket, now = stages.do("intake", "submit", REPORTER, REPORT)["ticket"], stages.now
    events = [
        *(event for _, event in stages.told),
        registered("box 1", now),
        registered("box 2", now + timedelta(days=1)),
        heard(
            PasswordResetRequested(reporter_id=REPORTER.id, sealed_letter="box", expires_at=now + timedelta(36500)), now
        ),
        heard(StepOverdue(ticket=ticket, step=2, role="operator", round=0, came_at=now, due_at=now, calendar=1), now),
    ]
    written = []
    for _ in range(2):
        with stages.databases["notification"].writing() as connection:
            for name in LATER:
                connection.execute(delete(metadata.tables[name]))
        for event in events:
            stages.deliver_one("notification", event)
        with stages.databases["notification"].reading() as connection:
            written.append({row.kind: row.id for row in connection.execute(select(metadata.tables["messages"]))})
    assert written[0] == written[1]
    assert {*written[0]} == {"received", "password_reset", "contact_changed", "overdue", "overdue_superior"}
    assert len({*written[0].values()}) == 5
