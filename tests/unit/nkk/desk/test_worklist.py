from datetime import timedelta

import pytest
from sqlalchemy import Column, MetaData, String, Table, insert, select

from nkk.desk import EVERYTHING, Wanted, narrowed, read_wanted
from nkk.sop.refusals import InvalidInput
from nkk.store.database import Database, UtcDateTime
from nkk.store.paging import page
from tests.builders import MONDAY

metadata = MetaData()
rows = Table(
    "rows",
    metadata,
    Column("ticket", String(20), primary_key=True),
    Column("category", String(64)),
    Column("subject_line", String(200)),
    Column("due_at", UtcDateTime),
)
bare = Table("bare", metadata, Column("ticket", String(20), primary_key=True), Column("due_at", UtcDateTime))

SUBJECTS = {
    "NKK-2026-EDXY-ER30": "Loket tutup, 100% benar",
    "NKK-2026-0000-0000": "Antrean 1000 orang",
    "NKK-2025-7H4K-Q2MV": "PUNGLI di_loket ÉMPAT",
    "NKK-2024-AAAA-BBBB": r"Garis\miring / lurus",
    "NKK-2024-CCCC-DDDD": "Hari Jum\u2019at \u201cbayar\u201d\u00a0\u2013 katanya",
    "NKK-2024-EEEE-FFFF": "Menunggu tiga\u2026 jam; efisien",
}
ONE, NOUGHT, THREE, FOUR, PASTED, DOTS = SUBJECTS


@pytest.fixture
def connection(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/desk.db", size=1)
    metadata.create_all(database.engine)
    with database.writing() as connection:
        for number, (ticket, subject) in enumerate(SUBJECTS.items()):
            due = MONDAY + timedelta(minutes=number)
            connection.execute(
                insert(rows), {"ticket": ticket, "category": f"c{number % 2}", "subject_line": subject, "due_at": due}
            )
            connection.execute(insert(bare), {"ticket": ticket, "due_at": due})
        yield connection
    database.dispose()


NOW = MONDAY + timedelta(minutes=2)


def found(connection, table=rows, **form):
    query = narrowed(select(table), table, read_wanted(form, NOW))
    return {row.ticket for row in connection.execute(query)}


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("loket", {ONE, THREE}),
        ("LOKET", {ONE, THREE}),
        ("pungli", {THREE}),
        ("émpat", {THREE}),
        ("ÉMPAT", {THREE}),
        ("100%", {ONE}),
        ("0%", {ONE}),
        ("%%", set()),
        ("__", set()),
        ("i_l", {THREE}),
        ("t_", set()),
        ("\\m", {FOUR}),
        ("/ l", {FOUR}),
        ("//", set()),
        ("' OR 1=1 --", set()),
        ("nk", set()),
        ("2026", set()),
        (ONE, {ONE}),
        ("nkk2026edxyer30", {ONE}),
        ("NKK-2026-EDXY-ER3O", {ONE}),
        ("NKK-2026-EDXY-ER31", set()),
        ("jum'at", {PASTED}),
        ("jum\u2018at", {PASTED}),
        ('"bayar" - kata', {PASTED}),
        ("\u201dbayar\u201c", {PASTED}),
        ("7h4k", {THREE}),
        ("q2mv", {THREE}),
        ("  EDXY ", {ONE}),
        ("4kq2", {THREE}),
        ("4K-Q2", {THREE}),
        ("2025-7h", {THREE}),
        ("NKK-2025-7", {THREE}),
        ("nkk20257h4k", {THREE}),
        ("h4kq2mv", {THREE}),
        ("edxyer3o", {ONE}),
        ("NKK-2026", set()),
        ("NKK", set()),
        ("mv", set()),
        ("tiga...", {DOTS}),
        ("tiga\u2026", {DOTS}),
        ("tiga... jam", {DOTS}),
        ("\uff54\uff49\uff47\uff41", {DOTS}),
        ("e\ufb01sien", {DOTS}),
        ("tiga..", set()),
    ],
)
def test_a_ticket_a_part_of_one_or_words_of_the_subject_find_a_row(connection, q, expected):
    assert found(connection, q=q) == expected


@pytest.mark.parametrize(("q", "expected"), [("loket", set()), ("EDXY", {ONE}), (ONE, {ONE}), ("%%", set())])
def test_where_there_is_no_subject_only_a_ticket_finds_a_row(connection, q, expected):
    assert found(connection, bare, q=q) == expected


def test_late_is_what_is_past_due_and_no_more(connection):
    assert found(connection, late=True) == {ONE, NOUGHT}
    assert found(connection, late=False) == set(SUBJECTS)


def test_every_part_of_a_narrowing_counts(connection):
    assert found(connection, category="c0") == {ONE, THREE, PASTED}
    assert found(connection, category="c0", late=True) == {ONE}
    assert found(connection, category="c0", late=True, q="pungli") == set()
    assert found(connection, category="c9") == set()


def test_a_cursor_taken_over_to_another_narrowing_shows_nothing_that_is_not_wanted(connection):
    def turned(cursor, **wanted):
        query = narrowed(select(rows), rows, Wanted(**wanted))
        return page(connection, query, [rows.c.due_at, rows.c.ticket], cursor, 1, lambda row: row.ticket)

    first, cursor = turned(None)
    assert first == [ONE]
    assert turned(cursor, category="c0")[0] == [THREE]
    assert turned(cursor, category="c0", q="antrean")[0] == []


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"q": "x"}, "q"),
        ({"q": ""}, "q"),
        ({"q": " x "}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"q": "a\ud800b"}, "q"),
        ({"q": 42}, "q"),
        ({"category": "A B"}, "category"),
        ({"category": ""}, "category"),
        ({"late": "true"}, "late"),
        ({"late": None}, "late"),
        ({"waits": "somebody"}, "waits"),
        ({"waits": None}, "waits"),
        ({"sort": "oldest"}, "sort"),
        ({"sort": ["due"]}, "sort"),
        ({"other": 1}, "other"),
    ],
)
def test_what_cannot_be_wanted_is_refused_by_name(form, field):
    with pytest.raises(InvalidInput) as refused:
        read_wanted(form, NOW)
    assert set(refused.value.details["fields"]) == {field}


@pytest.mark.parametrize("form", [None, {}])
def test_nothing_said_is_everything_wanted(connection, form):
    assert read_wanted(form, NOW) == EVERYTHING
    assert found(connection) == set(SUBJECTS)
