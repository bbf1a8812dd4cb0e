from dataclasses import fields, replace
from datetime import timedelta

import pytest

from nkk.messaging.database import Database
from nkk.messaging.work import UnitOfWork
from nkk.sop.report import WRITTEN
from services.triage import storage
from tests.builders import triage_case
from tests.stages import HELD


@pytest.fixture
def uow(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/triage.db", size=1)
    storage.metadata.create_all(database.engine)
    yield UnitOfWork(database, storage.TriageWork, "triage")
    database.dispose()


def another(value):
    """A value of the same kind that is not this one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value} x" if value is None or isinstance(value, str) else value + timedelta(hours=1)


@pytest.mark.parametrize("stage", HELD)
def test_what_stands_at_a_desk_has_a_field_for_each_column(stage):
    table, held = HELD[stage]
    assert {field.name for field in fields(held)} == {column.name for column in table.c}


@pytest.mark.parametrize("stage", sorted({*HELD} - {"notification"}))
def test_each_desk_that_works_from_the_report_has_it_whole(stage):
    table, _ = HELD[stage]
    assert set(WRITTEN) <= {column.name for column in table.c}


def test_whatever_has_become_of_a_case_is_written_and_the_report_stays(uow):
    case = triage_case(
        opd="disdukcapil", response="Sudah.", claimed_by="a", done_at=triage_case().came_at, service_calendar=1
    )
    case = replace(case, claimed_at=case.came_at, tell_at=case.came_at)
    with uow.begin() as work:
        work.cases.add(case)
    changed = replace(case, **{field.name: another(getattr(case, field.name)) for field in fields(case)})
    changed.ticket = case.ticket
    with uow.begin() as work:
        work.cases.save(changed)
    with uow.reading() as work:
        kept = work.cases.get(case.ticket)
    assert kept == replace(changed, **{name: getattr(case, name) for name in WRITTEN})
