"""Wrong passwords at intake, on either database: who is slowed down, who can log in, and what is stored about it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from nkk.sop.refusals import NotAuthenticated, Refused
from services.intake.attempts import FREE, KEPT_FEW, KEPT_MANY, KINDS, MANY, SlowedDown
from services.intake.domain import UsernameTaken, WrongPassword
from services.intake.service import IntakeService
from services.intake.storage import accounts, attempts, outbox, sessions
from tests.boxes import asked
from tests.intake import ADMIN, NEW, NOW, PUBLIC, REGISTRATION, REPORTER, Passwords, intake_at, stored

HERE, DEVICE = "a keyed hash of an address", "d" * 32


@pytest.fixture
def intake(url_of: Callable[[str], str]) -> Iterator[IntakeService]:
    """Yield intake on either database."""
    with intake_at(url_of("intake")) as service:
        yield service


def log_in(
    intake: IntakeService, username: str, password: str, source: str = HERE, known_as: tuple[str, ...] = ()
) -> Any:
    """Log in; return the account's role, or the name of the refusal."""
    visitor = {"source": source, "device": DEVICE, "known_as": list(known_as)}
    form = {"username": username, "password": password, "visitor": visitor}
    try:
        return asked(copy(intake), PUBLIC, "log_in", form)["role"]
    except Refused as refusal:
        return type(refusal).__name__


def fail(intake: IntakeService, username: str, times: int, **who: Any) -> list[str]:
    return [log_in(intake, username, "salah", **who) for _ in range(times)]


def besiege(intake: IntakeService, username: str) -> None:
    """Guess from so many sources that log-ins from all unknown sources are slowed down."""
    for number in range(MANY // FREE):
        fail(intake, username, FREE, source=f"bot {number}")


def age(intake: IntakeService, by: timedelta) -> None:
    """Make all counted attempts older by `by`."""
    with intake.uow.database.writing() as connection:
        for row in connection.execute(select(attempts)).all():
            connection.execute(
                update(attempts)
                .where(attempts.c.key == row.key)
                .values(**{name: value - by for name, value in row._mapping.items() if isinstance(value, datetime)})
            )


def seen(intake: IntakeService, username: str) -> dict[str, Any]:
    """Return a staff account as the admin sees it."""
    return asked(copy(intake), PUBLIC, "staff_account", {"username": username}, ADMIN)


def test_an_unknown_a_known_and_a_disabled_name_are_answered_alike(intake: IntakeService) -> None:
    with intake.uow.database.writing() as connection:
        connection.execute(update(accounts).where(accounts.c.id == "admin").values(disabled_at=NOW))
    expected = ["NotAuthenticated"] * FREE + ["SlowedDown"] * 3
    for username in ("operator", "pelapor", "admin", "tidak-ada-orangnya", "😀"):
        assert fail(intake, username, FREE + 3) == expected
        assert log_in(intake, username, username) == "SlowedDown", "the right one too"


def test_every_log_in_compares_as_many_passwords(intake: IntakeService) -> None:
    class Counting(Passwords):
        compared = 0

        def matches(self, password: str, password_hash: str | None) -> bool:
            Counting.compared += 1
            return super().matches(password, password_hash)

    intake.passwords = Counting()
    asked(copy(intake), PUBLIC, "register", REGISTRATION | {"username": "operator"})
    for username in ("operator", "pelapor", "tidak-ada-orangnya"):
        for password in (username, "salah", *["salah"] * FREE):
            Counting.compared = 0
            log_in(intake, username, password)
            assert Counting.compared == len(KINDS)


def test_who_waits_gets_in_when_the_time_has_come(intake: IntakeService) -> None:
    fail(intake, "operator", FREE)
    assert log_in(intake, "operator", "operator") == "SlowedDown"
    age(intake, timedelta(minutes=1))
    assert log_in(intake, "operator", "operator") == "operator"
    assert fail(intake, "operator", 1) == ["NotAuthenticated"]


def test_a_refusal_says_how_long(intake: IntakeService) -> None:
    fail(intake, "operator", FREE)
    form = {"username": "operator", "password": "operator", "visitor": {"source": HERE}}
    with pytest.raises(SlowedDown) as refusal:
        asked(copy(intake), PUBLIC, "log_in", form)
    assert 0 < refusal.value.details["retry_after"] <= 60


@pytest.mark.parametrize("source", [HERE, "elsewhere"])
def test_nobody_keeps_the_only_admin_out(intake: IntakeService, source: str) -> None:
    besiege(intake, "admin")
    fail(intake, "admin", FREE)
    assert log_in(intake, "admin", "admin", source=source) == "SlowedDown"
    assert log_in(intake, "admin", "admin", source=source, known_as=("staff",)) == "admin"


def test_one_address_keeps_nobody_out_elsewhere(intake: IntakeService) -> None:
    for _ in range(2 * MANY):
        fail(intake, "operator", 1)
        age(intake, timedelta(minutes=15))
    assert log_in(intake, "operator", "operator", source="elsewhere") == "operator"


def test_a_reporter_may_have_a_name_of_the_staff_and_each_logs_in_as_themselves(intake: IntakeService) -> None:
    asked(copy(intake), PUBLIC, "register", REGISTRATION | {"username": "operator"})
    assert log_in(intake, "operator", "operator") == "operator"
    assert log_in(intake, "operator", REGISTRATION["password"]) == "reporter"
    with pytest.raises(UsernameTaken):
        asked(copy(intake), PUBLIC, "register", REGISTRATION | {"username": "operator", "name": "Orang Lain"})
    staff = {"username": "pelapor", "name": "Petugas", "role": "operator", "password": NEW}
    assert asked(copy(intake), PUBLIC, "add_staff", staff, ADMIN)["role"] == "operator"
    assert log_in(intake, "pelapor", NEW) == "operator"
    with pytest.raises(UsernameTaken):
        asked(copy(intake), PUBLIC, "add_staff", staff, ADMIN)


def test_one_password_of_both_is_the_staffs_and_while_they_wait_the_reporters(intake: IntakeService) -> None:
    asked(copy(intake), PUBLIC, "register", REGISTRATION | {"username": "operator"})
    staff = {"username": "operator", "password": REGISTRATION["password"]}
    asked(copy(intake), PUBLIC, "reset_staff", staff, ADMIN)
    assert [log_in(intake, **staff) for _ in range(2)] == ["operator"] * 2
    # While the staff account is slowed down, its password opens only the reporter's account: a guess reveals nothing.
    fail(intake, "operator", FREE + 1)
    assert log_in(intake, **staff) == "SlowedDown"
    with intake.uow.database.writing() as connection:
        connection.execute(delete(attempts).where(attempts.c.kind == "reporter"))
    assert log_in(intake, **staff) == "reporter"
    asked(copy(intake), PUBLIC, "reset_staff", staff | {"password": NEW}, ADMIN)
    assert (log_in(intake, **staff), log_in(intake, "operator", NEW)) == ("reporter", "operator")


def test_a_code_for_a_new_password_goes_to_the_reporter_of_that_name(intake: IntakeService) -> None:
    staff = {"username": "pelapor", "name": "Petugas", "role": "operator", "password": NEW}
    asked(copy(intake), PUBLIC, "add_staff", staff, ADMIN)
    asked(copy(intake), PUBLIC, "request_reset", {"username": "pelapor"})
    assert intake._answer_reset()
    with intake.uow.database.reading() as connection:
        told = select(outbox.c.subject).where(outbox.c.type == "password.reset_requested.v1")
        assert connection.execute(told).scalars().all() == [REPORTER.id]


def test_the_letters_code_lets_a_reporter_in_while_many_guess(intake: IntakeService) -> None:
    besiege(intake, "pelapor")
    fail(intake, "pelapor", FREE)
    asked(copy(intake), PUBLIC, "complete_reset", {"token": "code", "password": NEW})
    besiege(intake, "pelapor")
    assert log_in(intake, "pelapor", NEW) == "reporter"


def test_an_admin_sees_a_slow_down_and_ends_it(intake: IntakeService) -> None:
    fail(intake, "operator", FREE)
    here = seen(intake, "operator")
    assert (here["locked_until"], here["slowed_sources"]) == (None, 1)
    besiege(intake, "operator")
    everywhere = seen(intake, "operator")
    assert everywhere["locked_until"]
    assert everywhere["slowed_until"] >= here["slowed_until"]
    assert everywhere["slowed_sources"] == MANY // FREE
    ended = asked(copy(intake), PUBLIC, "let_staff_in", {"username": "operator"}, ADMIN)
    assert (ended["locked_until"], ended["slowed_until"], ended["slowed_sources"]) == (None, None, 0)
    assert seen(intake, "operator") == ended
    besiege(intake, "operator")
    assert seen(intake, "operator")["locked_until"] is None
    assert log_in(intake, "operator", "operator") == "operator"


def test_a_reporters_slow_down_is_not_the_admins_to_see(intake: IntakeService) -> None:
    besiege(intake, "pelapor")
    with pytest.raises(Refused):
        seen(intake, "pelapor")


def test_a_new_password_from_an_admin_ends_a_slow_down(intake: IntakeService) -> None:
    besiege(intake, "operator")
    asked(copy(intake), PUBLIC, "reset_staff", {"username": "operator", "password": NEW}, ADMIN)
    assert log_in(intake, "operator", NEW) == "operator"


def change(intake: IntakeService, password: str, session: str = "s-pelapor") -> str | None:
    """Change the reporter's password; return the name of the refusal, or None."""
    form = {"password": password, "new_password": NEW}
    who = REPORTER.__class__(REPORTER.id, REPORTER.role, None, session)
    try:
        asked(copy(intake), PUBLIC, "change_password", form, who)
    except (WrongPassword, SlowedDown, NotAuthenticated) as refusal:
        return type(refusal).__name__
    return None


def test_who_found_a_session_open_guesses_no_further_and_keeps_nobody_out(intake: IntakeService) -> None:
    with intake.uow.database.writing() as connection:
        connection.execute(
            sessions.insert().values(
                id="s-other", account_id=REPORTER.id, refresh_hash="other", expires_at=NOW + timedelta(hours=1)
            )
        )
    assert [change(intake, "salah") for _ in range(FREE + 1)] == ["WrongPassword"] * FREE + ["SlowedDown"]
    assert change(intake, "pelapor") == "SlowedDown"
    assert log_in(intake, "pelapor", "pelapor") == "reporter"
    assert change(intake, "pelapor", "s-other") is None


def test_guesses_at_the_same_moment_are_counted_one_by_one(intake: IntakeService) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: log_in(intake, "operator", "salah"), range(4 * FREE)))
    assert sorted(answers) == ["NotAuthenticated"] * FREE + ["SlowedDown"] * 3 * FREE


def test_ending_a_slow_down_while_many_guess_holds_up_nobody(intake: IntakeService) -> None:
    with ThreadPoolExecutor(8) as pool:
        tried = [pool.submit(log_in, intake, "operator", "salah", f"bot {number % 7}") for number in range(60)]
        ended = [
            pool.submit(asked, copy(intake), PUBLIC, "let_staff_in", {"username": "operator"}, ADMIN) for _ in range(6)
        ]
        assert {attempt.result(30) for attempt in tried} <= {"NotAuthenticated", "SlowedDown"}
        assert {end.result(30)["username"] for end in ended} == {"operator"}


def test_what_is_counted_tells_neither_name_nor_address_nor_device(intake: IntakeService) -> None:
    fail(intake, "tidak-ada-orangnya", FREE)
    fail(intake, "pelapor", FREE, known_as=("reporter",))
    held = str(stored(intake)["attempts"])
    for known in (HERE, DEVICE, "pelapor", "tidak-ada"):
        assert known not in held.replace("'reporter'", "")


def test_counts_are_forgotten_when_they_do_not_matter_any_more(intake: IntakeService) -> None:
    fail(intake, "operator", FREE)
    fail(intake, "pelapor", 1)
    fail(intake, "admin", 1)
    log_in(intake, "admin", "admin")
    before = len(stored(intake)["attempts"])
    age(intake, KEPT_FEW - timedelta(minutes=1))
    intake.forget_attempts()
    assert len(stored(intake)["attempts"]) == before
    age(intake, timedelta(minutes=2))
    intake.forget_attempts()
    with intake.uow.database.reading() as connection:
        assert set(connection.execute(select(attempts.c.failed)).scalars()) == {FREE}
    age(intake, KEPT_MANY)
    intake.forget_attempts()
    assert stored(intake)["attempts"] == []


def test_a_log_in_that_succeeds_leaves_the_count_of_the_other_kind_alone_for_an_hour(intake: IntakeService) -> None:
    assert log_in(intake, "operator", "operator") == "operator"
    with intake.uow.database.reading() as connection:
        assert set(connection.execute(select(attempts.c.kind)).scalars()) == {"reporter"}
    age(intake, KEPT_FEW + timedelta(minutes=1))
    intake.forget_attempts()
    assert stored(intake)["attempts"] == []
