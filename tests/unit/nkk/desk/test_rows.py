from dataclasses import fields, replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from nkk.sop.additions import Addition
from nkk.sop.files import described
from nkk.sop.gathered import Gathered
from nkk.sop.report import WRITTEN, Report
from nkk.store.database import Database
from nkk.store.work import UnitOfWork
from services.intake.domain import own_files
from services.intake.storage import accounts
from services.notification.domain import Earlier
from tests.builders import MONDAY, answer, complaint, opd_case, own_upload, triage_case, upload
from tests.stages import HELD, STORAGES, WORKS


def another(field, value):
    """Return a different value of the field's type."""
    if value is None:
        return MONDAY if "datetime" in str(field.type) else 7 if "int" in str(field.type) else "x"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if "Addition" in str(field.type):
        return (Addition(number=1, day="2026-03-02T00:00:00+07:00", text="x", files=("1",)),)
    if "Earlier" in str(field.type):
        return (
            Earlier(
                text="x", sent_at="2026-03-02", how=None, rating=1, objection="x", files=described([upload(number="1")])
            ),
        )
    if "Addition" in str(field.type):
        return (Addition(number=1, day="2026-03-02", text="x", files=("1",)),)
    if "Gathered" in str(field.type):
        return (Gathered(opd="disdukcapil", round=1, text="x"),)
    if isinstance(value, tuple):
        is_own = "Own" in str(field.type)
        return own_files([own_upload(number="1")], MONDAY) if is_own else described([upload(number="1")])
    return f"{value} x" if isinstance(value, str) else value + timedelta(hours=1)


@pytest.mark.parametrize("stage", HELD)
def test_what_stands_at_a_desk_has_a_field_for_each_column(stage):
    table, held = HELD[stage]
    assert {field.name for field in fields(held)} == {column.name for column in table.c}


@pytest.mark.parametrize("stage", sorted({*HELD} - {"notification"}))
def test_each_desk_that_works_from_the_report_has_it_whole(stage):
    table, _ = HELD[stage]
    assert set(WRITTEN) <= {column.name for column in table.c}


STANDING = {"intake": complaint, "triage": triage_case, "opd_response": opd_case, "notification": answer}


@pytest.mark.parametrize("stage", STANDING)
def test_whatever_has_become_of_it_is_written_and_the_report_stays(stage, tmp_path):
    before = STANDING[stage]()
    after = replace(before, **{field.name: another(field, getattr(before, field.name)) for field in fields(before)})
    for column in HELD[stage][0].primary_key:
        setattr(after, column.name, getattr(before, column.name))
    database = Database(f"sqlite:///{tmp_path}/{stage}.db", size=1)
    STORAGES[stage].metadata.create_all(database.engine)
    if stage == "intake":
        with database.writing() as connection:
            for number, account in enumerate([before.reporter_id, after.reporter_id]):
                new = {"id": account, "login_index": str(number), "password_hash": "x", "role": "reporter"}
                connection.execute(insert(accounts).values(**new, failed_attempts=0, created_at=MONDAY))
    uow = UnitOfWork(database, WORKS[stage], stage)
    with uow.begin() as work:
        work.clocked.add(before)
    with uow.begin() as work:
        work.clocked.save(after)
    with uow.reading() as work:
        [row] = work.connection.execute(select(HELD[stage][0]))
    database.dispose()
    report = {name: getattr(before, name) for name in WRITTEN} if isinstance(before, Report) else {}
    assert type(before)(**row._mapping) == replace(after, **report)
