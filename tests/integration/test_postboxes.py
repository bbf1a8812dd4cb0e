"""Limits on letters to one address: a dozen leave in an hour, in order, so that strangers cannot flood a mailbox."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, update

from nkk.store.database import Database
from nkk.trust.sealing import new_key_pair, seal
from services.notification import mail
from services.notification.composing import Letter
from services.notification.keyed import Keyed
from services.notification.postboxes import WHY, Pace
from services.notification.storage import Contacts, Messages, Postboxes, journeys, messages, metadata, postboxes, teams
from tests.builders import TICKET
from tests.letters import sender_of

KEYS = new_key_pair()
KEYED = Keyed(KEYS[0])
VICTIM = "orang@example.org"
BEGAN = datetime(2026, 3, 2, 1, 0, 30, tzinfo=UTC)
DOZEN, MANY = 12, 28


class Clock:
    """A clock that tests set."""

    shown = BEGAN


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(Clock, "shown", BEGAN)
    return Clock


@pytest.fixture
def database(url_of: Callable[[str], str]) -> Iterator[Database]:
    found = Database(url_of("notification"), size=6)
    metadata.create_all(found.engine)
    yield found
    found.dispose()


class Server:
    """A fake mail server that accepts every letter, or none while it is `away`."""

    def __init__(self) -> None:
        self.away = False
        self.taken: list[tuple[datetime, str, str]] = []

    def send(self, letter: Letter) -> None:
        if self.away:
            raise ConnectionRefusedError
        self.taken.append((Clock.shown, letter.recipient, letter.name))

    @property
    def names(self) -> list[str]:
        return [name for _, _, name in self.taken]


@pytest.fixture
def server() -> Server:
    return Server()


def mailer(server: Server) -> mail.Mailer:
    sending = mail.Mailer(lambda: Clock.shown)
    sending._key, sending._keyed, sending._pace = KEYS[0], KEYED, Pace(KEYED, DOZEN)
    sending._site, sending._from = "https://nkk.example.id", sender_of("nkk@example.id")
    sending._sender = partial(nullcontext, server.send)
    return sending


def write(
    database: Database,
    count: int,
    email: str = VICTIM,
    first: int = 0,
    accounts: int = 4,
    since: datetime = BEGAN,
    who: str = "",
) -> list[str]:
    """Write `count` receipts to `accounts` accounts whose address is `email` since `since`; return the letters' names.

    Another `who` makes them other accounts with the same address.
    """
    ids, who = [f"{uuid.uuid4()}" for _ in range(count)], who or email
    with database.writing() as connection:
        for number in range(accounts):
            Contacts(connection).keep(KEYED.reporter(f"{who} {number}"), seal({"email": email}, KEYS[1]), since)
        for number, id_ in enumerate(ids, first):
            ticket, written = f"{TICKET[:-4]}{number:04}{email[0]}", BEGAN + timedelta(milliseconds=number)
            connection.execute(
                insert(journeys).values(
                    ticket=ticket,
                    service_due_at=BEGAN,
                    sealed_reporter=(KEYED.seal_reporter(ticket, f"{who} {number % accounts}")),
                )
            )
            connection.execute(
                insert(messages).values(
                    id=id_, ticket=ticket, kind="received", created_at=written, next_try_at=BEGAN, tries=0
                )
            )
    return [KEYED.message_id(id_) for id_ in ids]


def send_all(sending: mail.Mailer, database: Database) -> None:
    while sending.send_batch(database):
        pass


def waiting(database: Database) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(select(messages).where(messages.c.sent_at.is_(None))))


def test_a_dozen_letters_leave_within_any_hour_and_all_in_their_order(
    database: Database, server: Server, clock: type[Clock]
) -> None:
    names, sending = write(database, MANY), mailer(server)
    send_all(sending, database)
    assert server.names == names[:DOZEN]
    assert {(row.why, row.tries, row.sending_until) for row in waiting(database)} == {(WHY, 0, None)}
    while waiting(database) and clock.shown < BEGAN + timedelta(hours=5):
        clock.shown += timedelta(minutes=1)
        send_all(sending, database)
    assert server.names == names
    times = [at for at, _, _ in server.taken]
    assert all(later - earlier >= timedelta(hours=1) for earlier, later in zip(times, times[DOZEN:], strict=False))
    with database.reading() as connection:
        assert set(connection.execute(select(messages.c.why)).scalars()) == {None}


def test_letters_that_wait_are_tried_again_at_one_moment_whichever_the_address(
    database: Database, server: Server, clock: type[Clock]
) -> None:
    sending = mailer(server)
    for number, email in enumerate((VICTIM, "lain@example.org", "warga@example.org")):
        write(database, DOZEN + 5, email, since=clock.shown)
        for _ in range(7):
            send_all(sending, database)
            assert len({(row.next_try_at, row.why) for row in waiting(database)}) == 1
            clock.shown += timedelta(minutes=1)
        assert len(waiting(database)) == 5 * (number + 1)


def test_what_waits_for_a_place_is_given_up_when_its_days_are_over(
    database: Database, server: Server, clock: type[Clock]
) -> None:
    write(database, 1)
    sending = mailer(server)
    server.away, began = True, clock.shown
    send_all(sending, database)
    server.away = False
    write(database, DOZEN, first=1)
    send_all(sending, database)
    clock.shown += timedelta(minutes=1)
    send_all(sending, database)
    assert [(row.why, row.tried_since) for row in waiting(database)] == [(WHY, began)]


def test_others_wait_for_nothing(database: Database, server: Server) -> None:
    write(database, MANY)
    names = write(database, 3, "lain@example.org")
    send_all(mailer(server), database)
    assert [name for _, to, name in server.taken if to != VICTIM] == names
    assert len(server.taken) == DOZEN + 3


def test_who_comes_meanwhile_waits_behind_those_who_wait(
    database: Database, server: Server, clock: type[Clock]
) -> None:
    names, sending = write(database, DOZEN + 2), mailer(server)
    send_all(sending, database)
    clock.shown += timedelta(hours=1, seconds=10)
    later = write(database, 1, first=DOZEN + 2)
    with database.writing() as connection:
        connection.execute(
            update(messages)
            .where(messages.c.tries == 0, messages.c.why.is_(None), messages.c.sent_at.is_(None))
            .values(next_try_at=clock.shown)
        )
    send_all(sending, database)
    assert server.names == names[:DOZEN]
    clock.shown += timedelta(minutes=5)
    send_all(sending, database)
    assert server.names == names + later


LONG_BEFORE = BEGAN - timedelta(days=30)


def test_whose_address_it_is_has_a_letter_an_hour_whatever_others_write_under_it(
    database: Database, server: Server, clock: type[Clock]
) -> None:
    write(database, 120, who="strangers", accounts=30)
    own, sending = write(database, 3, first=120, accounts=1, since=LONG_BEFORE), mailer(server)
    for hour in range(3):
        clock.shown = BEGAN + hour * timedelta(hours=1, minutes=5)
        send_all(sending, database)
        assert len(set(own) & set(server.names)) == hour + 1
        assert len(server.taken) <= (DOZEN + 3) * (hour + 1)


def test_so_have_the_three_that_have_had_it_longest_and_no_others(database: Database, server: Server) -> None:
    write(database, MANY, who="strangers", accounts=1)
    for number in range(5):
        write(database, 1, first=MANY + number, accounts=1, since=LONG_BEFORE + timedelta(days=number), who=f"{number}")
    for _ in range(2):
        send_all(mailer(server), database)
    assert len(server.taken) == DOZEN + 3


def test_a_letter_of_theirs_that_did_not_leave_takes_their_place_from_no_other(
    database: Database, server: Server, clock: type[Clock]
) -> None:
    write(database, DOZEN, who="strangers", accounts=1)
    send_all(mailer(server), database)
    (own,) = write(database, 1, first=MANY, accounts=1, since=LONG_BEFORE)
    server.away = True
    send_all(mailer(server), database)
    server.away = False
    clock.shown += timedelta(seconds=10)
    send_all(mailer(server), database)
    assert server.names[DOZEN:] == [own]


def test_letters_that_did_not_leave_take_no_place(database: Database, server: Server, clock: type[Clock]) -> None:
    names, sending = write(database, MANY), mailer(server)
    server.away = True
    for _ in range(30):
        send_all(sending, database)
        clock.shown += timedelta(seconds=20)
    server.away = False
    clock.shown += timedelta(hours=1)
    send_all(sending, database)
    assert len(server.taken) == DOZEN
    while waiting(database) and clock.shown < BEGAN + timedelta(hours=8):
        clock.shown += timedelta(minutes=5)
        send_all(sending, database)
    assert sorted(server.names) == sorted(names)


def test_an_hour_with_the_server_away_is_not_made_up_for_in_another(
    database: Database, server: Server, clock: type[Clock]
) -> None:
    write(database, MANY)
    sending = mailer(server)
    server.away = True
    while clock.shown < BEGAN + timedelta(hours=2):
        send_all(sending, database)
        clock.shown += timedelta(minutes=10)
    server.away = False
    while waiting(database) and clock.shown < BEGAN + timedelta(hours=7):
        send_all(sending, database)
        clock.shown += timedelta(minutes=5)
    times = [at for at, _, _ in server.taken]
    assert len(times) == MANY
    assert all(later - earlier >= timedelta(hours=1) for earlier, later in zip(times, times[DOZEN:], strict=False))


def test_what_a_server_refused_for_now_leaves_as_soon_as_it_takes_letters(
    database: Database, server: Server, clock: type[Clock]
) -> None:
    names, sending = write(database, MANY), mailer(server)
    server.away = True
    send_all(sending, database)
    server.away = False
    clock.shown += timedelta(seconds=10)
    send_all(sending, database)
    assert sorted(server.names) == sorted(names[:DOZEN])


def test_several_instances_together_send_a_dozen(database: Database, server: Server) -> None:
    write(database, MANY)
    together = Barrier(4)

    def send(_: int) -> None:
        together.wait()
        send_all(mailer(server), database)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    assert (len(server.taken), len(set(server.names))) == (DOZEN, DOZEN)
    assert len(waiting(database)) == MANY - DOZEN


def test_codes_and_letters_to_teams_are_not_counted(database: Database, server: Server) -> None:
    write(database, DOZEN)
    with database.writing() as connection:
        sealed = seal({"email": VICTIM, "code": "x" * 40}, KEYS[1])
        for number in range(3):
            Messages(connection).add_code(
                f"code {number}", f"reporter {number}", sealed, BEGAN + timedelta(hours=1), BEGAN
            )
        connection.execute(insert(teams).values(team="operator", email=VICTIM))
    sending = mailer(server)
    send_all(sending, database)
    assert len(server.taken) == DOZEN + 3
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(postboxes)).scalar_one() == 1


def say_farewell(database: Database, who: str, since: datetime) -> str:
    """Write the letter that tells the victim's address that an account has replaced it; return the letter's name."""
    return farewell(database, who, KEYED.seal_farewell(seal({"email": VICTIM}, KEYS[1]), KEYED.reporter(who), since))


def farewell(database: Database, who: str, box: str) -> str:
    row = {"id": f"farewell {who}", "kind": "contact_changed", "sealed_letter": box, "tries": 0}
    with database.writing() as connection:
        connection.execute(insert(messages).values(created_at=BEGAN, next_try_at=BEGAN, **row))
    return KEYED.message_id(row["id"])


def test_an_address_is_told_that_it_was_replaced_whatever_strangers_write_under_it(
    database: Database, server: Server
) -> None:
    write(database, 5 * DOZEN, since=LONG_BEFORE)
    sending = mailer(server)
    send_all(sending, database)
    told = say_farewell(database, "owner", BEGAN)
    send_all(sending, database)
    assert server.names[-1] == told
    assert len(server.taken) == DOZEN + 1


def test_nobody_fills_a_postbox_with_word_that_addresses_were_replaced_nor_delays_its_owners(
    database: Database, server: Server
) -> None:
    for number in range(DOZEN):
        say_farewell(database, f"stranger {number}", BEGAN)
    sending = mailer(server)
    send_all(sending, database)
    assert len(server.taken) <= 6
    owners = say_farewell(database, "owner", LONG_BEFORE)
    send_all(sending, database)
    assert server.names[-1] == owners
    assert len(server.taken) <= 6


def test_a_farewell_of_a_version_before_waits_for_no_reports_either(database: Database, server: Server) -> None:
    write(database, 3 * DOZEN)
    told = farewell(database, "owner", seal({"email": VICTIM}, KEYS[1]))
    send_all(mailer(server), database)
    assert told in server.names


def test_a_batch_asks_as_often_for_many_letters_as_for_few(database: Database, server: Server) -> None:
    asked: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    def statements(count: int, letter: str) -> int:
        for number in range(count):
            write(database, 1, f"{letter}{number}@example.org", first=number, accounts=1)
        asked.clear()
        assert mailer(server).send_batch(database) == count
        return len(asked)

    assert statements(2, "a") == statements(20, "b")


def test_what_is_kept_names_no_address_and_is_forgotten(database: Database, server: Server) -> None:
    write(database, 2)
    write(database, 1, "lain@example.org")
    send_all(mailer(server), database)
    with database.reading() as connection:
        rows = connection.execute(select(postboxes)).all()
    assert len(rows) == 2
    assert "example" not in str(rows)
    assert {(len(row.postbox), len(row.places), row.day) for row in rows} == {(64, 172, BEGAN.date())}
    for day, left in ((BEGAN.date(), 2), ((BEGAN + timedelta(days=1)).date(), 0)):
        with database.writing() as connection:
            Postboxes(connection).forget(day)
            assert len(connection.execute(select(postboxes)).all()) == left


def test_a_row_that_cannot_be_read_holds_nothing_up(database: Database, server: Server) -> None:
    write(database, 2)
    with database.writing() as connection:
        connection.execute(insert(postboxes).values(postbox=KEYED.postbox(VICTIM), places="damaged", day=BEGAN.date()))
    send_all(mailer(server), database)
    assert len(server.taken) == 2
