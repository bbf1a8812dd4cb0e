"""Intake's handling of passwords, on a database of its own."""

from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import event, insert, select, update

from nkk.contracts.events import PasswordResetRequested
from nkk.messaging.calls import BusyError
from nkk.settings.keys import as_pem
from nkk.sop.refusals import InvalidInput, NotAuthenticated
from nkk.store.database import Database
from nkk.store.work import UnitOfWork
from nkk.trust.actor import Actor
from nkk.trust.sealing import new_key_pair, unseal
from ops.stack.keys import new_keys
from services.intake.identity import Vault
from services.intake.resets import ACCOUNTS, ASKED, LIFETIME, OLDEST, PER, ResetExpired
from services.intake.service import IntakeService
from services.intake.storage import (
    IntakeWork,
    accounts,
    metadata,
    outbox,
    password_resets,
    postboxes,
    reporters,
    reset_requests,
    sessions,
    shares,
)
from tests.boxes import asked

NOW = datetime.now(UTC)
INTAKE, NOTIFICATION = new_key_pair(), new_key_pair()
VAULT = Vault([Fernet.generate_key().decode()], "index", INTAKE[0], NOTIFICATION[1])
OPERATOR_HASH = "hash of operator"
NAMES = ("pelapor", "pelapor-ditutup", "operator", "tidak-ada-orangnya", "😀", " ")


class Passwords:
    """A hasher that costs no time."""

    def hash(self, password):
        return f"hash of {password}"

    def matches(self, password, password_hash):
        return password_hash == self.hash(password)

    def renewed(self, password, password_hash):
        return password_hash


@pytest.fixture
def service(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/intake.db", size=3)
    metadata.create_all(database.engine)
    service = IntakeService()
    service.vault, service.passwords = VAULT, Passwords()
    service.uow = UnitOfWork(database, IntakeWork, "intake")
    with database.writing() as connection:
        for username, role, disabled_at in (
            ("pelapor", "reporter", None),
            ("pelapor-ditutup", "reporter", NOW),
            ("operator", "operator", None),
        ):
            connection.execute(
                insert(accounts).values(
                    id=username,
                    login_index=VAULT.login_index(username),
                    password_hash=f"hash of {username}",
                    role=role,
                    username=None if role == "reporter" else username,
                    failed_attempts=0,
                    disabled_at=disabled_at,
                    created_at=NOW,
                )
            )
            if role == "reporter":
                identity = VAULT.encrypt({"username": username, "email": f"{username}@example.id"})
                connection.execute(insert(reporters).values(id=username, kind="public", identity=identity))
            connection.execute(
                insert(sessions).values(
                    id=f"s-{username}", account_id=username, refresh_hash=username, expires_at=NOW + LIFETIME
                )
            )
    yield service
    database.dispose()


def ask(service, username):
    assert asked(service, INTAKE[1], "request_reset", {"username": username}) is None


def rows(service, table):
    with service.uow.database.reading() as connection:
        return connection.execute(select(table)).all()


def change(service, **changed):
    with service.uow.database.writing() as connection:
        for name, values in changed.items():
            connection.execute(update(metadata.tables[name]).values(**values))


def letters(service):
    told = [
        PasswordResetRequested.read(row.body).data
        for row in rows(service, outbox)
        if row.type == PasswordResetRequested.TYPE
    ]
    return [unseal(data.sealed_letter, NOTIFICATION[0]) for data in told]


def code_for(service, username="pelapor"):
    ask(service, username)
    service.answer_resets()
    return letters(service)[-1]["code"]


def complete(service, token, password="sandi yang baru 42"):
    asked(service, INTAKE[1], "complete_reset", {"token": token, "password": password})


def change_password(service, session):
    form = {"password": "pelapor", "new_password": "sandi yang baru 42"}
    asked(service, INTAKE[1], "change_password", form, Actor("pelapor", "reporter", None, session))


def hash_of_reporter(service):
    return {row.id: row.password_hash for row in rows(service, accounts)}["pelapor"]


def test_asking_does_the_same_work_for_every_user_name(service):
    work = {name: [] for name in NAMES}
    doing = None
    event.listen(
        service.uow.database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: work[doing].append(statement),
    )
    for doing in NAMES:
        ask(service, doing)
    assert len({tuple(done) for done in work.values()}) == 1
    assert work["pelapor"]


def test_a_letter_is_told_of_for_an_open_reporters_account_alone(service):
    for name in NAMES:
        ask(service, name)
    service.answer_resets()
    assert [letter["email"] for letter in letters(service)] == ["pelapor@example.id"]
    assert rows(service, reset_requests) == []


def register(service, username, email="pelapor@example.id", at=NOW, **changed):
    with service.uow.database.writing() as connection:
        connection.execute(
            insert(accounts).values(
                {
                    "id": username,
                    "login_index": VAULT.login_index(username),
                    "password_hash": "h",
                    "role": "reporter",
                    "failed_attempts": 0,
                    "created_at": at,
                }
                | changed
            )
        )
        connection.execute(
            insert(reporters).values(
                id=username,
                kind="public",
                identity=VAULT.encrypt({"username": username, "email": email}),
                address_index=VAULT.address_index(email),
            )
        )


def ask_by_address(service, email="pelapor@example.id"):
    asked(service, INTAKE[1], "request_reset", {"email": email})
    service.answer_resets()
    return {letter["username"]: letter["email"] for letter in letters(service)}


def test_who_forgot_their_user_name_asks_by_address_and_each_letter_names_one(service):
    service.index_addresses()
    register(service, "pelapor-dua", at=NOW + timedelta(1))
    register(service, "orang-lain", "lain@example.id")
    register(service, "ditutup", disabled_at=NOW)
    assert ask_by_address(service, "Pelapor@Example.ID") == dict.fromkeys(
        ("pelapor", "pelapor-dua"), "pelapor@example.id"
    )
    codes = {letter["username"]: letter["code"] for letter in letters(service)}
    complete(service, codes["pelapor-dua"])
    assert hash_of_reporter(service) == "hash of pelapor"
    complete(service, codes["pelapor"])
    assert hash_of_reporter(service) == "hash of sandi yang baru 42"


def test_of_many_accounts_at_one_address_the_oldest_are_sent_a_letter(service):
    service.index_addresses()
    for number in range(ACCOUNTS + 2):
        register(service, f"kemudian-{number}", at=NOW + timedelta(1 + number))
    assert set(ask_by_address(service)) == {"pelapor", *(f"kemudian-{number}" for number in range(ACCOUNTS - 1))}


def test_whoever_moves_to_an_address_later_crowds_out_nobody(service):
    service.index_addresses()
    for number in range(ACCOUNTS):
        register(service, f"dahulu-{number}", "lain@example.id", at=NOW - timedelta(9))
        with service.uow.begin() as work:
            work.accounts.replace_identity(
                f"dahulu-{number}", VAULT.encrypt({"username": f"dahulu-{number}", "email": "pelapor@example.id"})
            )
            work.accounts.index_address(f"dahulu-{number}", VAULT.address_index("pelapor@example.id"), NOW + LIFETIME)
    assert "pelapor" in ask_by_address(service)


def ask_often(service, *names):
    """Return the letters sent by name, after more requests for each of `names` than are answered."""
    before = len(letters(service))
    for name in names:
        for _ in range(ASKED + 1):
            ask(service, name)
    service.answer_resets()
    return Counter(letter["username"] for letter in letters(service)[before:])


def move(service, username, email, at):
    with service.uow.begin() as work:
        work.accounts.replace_identity(username, VAULT.encrypt({"username": username, "email": email}))
        work.accounts.index_address(username, VAULT.address_index(email), at)


@pytest.mark.parametrize(("before", "after"), [(1, 0), (0, 1), (OLDEST - 1, 100)])
def test_whoever_registers_with_somebodys_address_uses_up_no_code_of_theirs(service, before, after):
    service.index_addresses()
    others = [f"dahulu-{number}" for number in range(before)] + [f"kemudian-{number}" for number in range(after)]
    for number, name in enumerate(others):
        register(service, name, at=NOW + timedelta(seconds=number + (1 if name.startswith("kemudian") else -before)))
    ask_often(service, *others[: 2 * OLDEST])
    assert "pelapor" not in {letter["username"] for letter in letters(service)}
    assert "pelapor" in ask_by_address(service)
    assert ask_often(service, "pelapor") == {"pelapor": ASKED - 1}


def test_all_but_the_oldest_accounts_of_an_address_are_sent_a_few_letters_together(service):
    service.index_addresses()
    names = [f"kemudian-{number}" for number in range(2 * OLDEST)]
    for number, name in enumerate(names):
        register(service, name, at=NOW + timedelta(seconds=1 + number))
    oldest = ["pelapor", *names[: OLDEST - 1]]
    assert ask_often(service, *reversed(names), "pelapor") == Counter(dict.fromkeys(oldest, ASKED) | {names[-1]: ASKED})
    for _ in range(ASKED + 1):
        ask_by_address(service)
    assert len(letters(service)) == ASKED * (OLDEST + 1)


def test_what_was_asked_for_by_address_is_counted_for_each_of_the_oldest_by_itself(service):
    service.index_addresses()
    for number in range(ACCOUNTS):
        register(service, f"kemudian-{number}", at=NOW + timedelta(seconds=1 + number))
    for _ in range(2 * ASKED):
        ask_by_address(service)
    assert Counter(letter["username"] for letter in letters(service)) == {
        "pelapor": ASKED,
        **{f"kemudian-{number}": ASKED for number in range(ACCOUNTS - 1)},
    }


def test_accounts_that_take_turns_at_an_address_are_sent_no_more_letters_than_those_that_stay(service):
    service.index_addresses()
    names = [f"dahulu-{number}" for number in range(2 * OLDEST)]
    for number, name in enumerate(names):
        register(service, name, "korban@example.id", at=NOW - timedelta(1) + timedelta(seconds=number))
    for name in names:
        ask_often(service, name)
        move(service, name, "sendiri@example.id", NOW)
    assert Counter(letter["email"] for letter in letters(service)) == {"korban@example.id": ASKED * (OLDEST + 1)}


def test_addresses_that_lead_to_one_postbox_are_sent_no_more_letters_than_one(service):
    service.index_addresses()
    register(service, "pemilik", "korban@example.id", at=NOW - timedelta(2))
    names = [f"lain-{number}" for number in range(3 * OLDEST)]
    for number, name in enumerate(names):
        register(service, name, f"kor.ban+{number}@example.id", at=NOW - timedelta(1) + timedelta(seconds=number))
    sent = ask_often(service, *names)
    assert sum(sent.values()) == ASKED * (OLDEST + 1)
    assert ask_often(service, "pemilik") == {"pemilik": ASKED}


def test_who_is_among_the_oldest_stays_so_while_older_ones_use_theirs_up_and_leave(service):
    service.index_addresses()
    for number in range(OLDEST - 1):
        register(service, f"dahulu-{number}", at=NOW - timedelta(1))
    for number in range(OLDEST):
        register(service, f"kemudian-{number}", at=NOW + timedelta(seconds=1 + number))
    for number in range(OLDEST - 1):
        ask_often(service, f"dahulu-{number}")
        move(service, f"dahulu-{number}", "lain@example.id", NOW)
    ask_often(service, *(f"kemudian-{number}" for number in range(OLDEST)))
    assert ask_often(service, "pelapor") == {"pelapor": ASKED}


def test_who_leaves_an_address_and_comes_back_is_the_newest_there_and_what_was_counted_stays(service):
    service.index_addresses()
    register(service, "pergi", at=NOW - timedelta(1))
    oldest = ("pelapor", *(f"kemudian-{number}" for number in range(OLDEST - 1)))
    for number, name in enumerate(oldest[1:]):
        register(service, name, at=NOW + timedelta(seconds=1 + number))
    assert ask_often(service, "pergi") == {"pergi": ASKED}
    move(service, "pergi", "lain@example.id", NOW + timedelta(1))
    move(service, "pergi", "pelapor@example.id", NOW + timedelta(2))
    assert ask_often(service, "pergi") == {}
    change(service, postboxes={"since": NOW - PER})
    register(service, "baru", at=NOW + timedelta(3))
    assert ask_often(service, "pergi", "baru", *oldest) == dict.fromkeys(("pergi", *oldest), ASKED)


def test_who_only_writes_their_address_otherwise_has_had_it_as_long_as_before(service):
    service.index_addresses()
    for number in range(OLDEST + 1):
        register(service, f"kemudian-{number}", at=NOW + timedelta(microseconds=1 + number))
    asked(
        service,
        INTAKE[1],
        "change_contact",
        {"email": "Pelapor@example.id", "password": "pelapor"},
        Actor("pelapor", "reporter", None, "s-pelapor"),
    )
    ask_often(service, *(f"kemudian-{number}" for number in range(OLDEST + 1)))
    assert ask_often(service, "pelapor") == {"pelapor": ASKED}


def test_an_account_that_a_version_before_moved_to_an_address_is_not_the_oldest_there(service):
    service.index_addresses()
    for number in range(OLDEST + 1):
        register(service, f"dahulu-{number}", "lain@example.id", at=NOW - timedelta(9))
        with service.uow.begin() as work:
            work.accounts.replace_identity(
                f"dahulu-{number}", VAULT.encrypt({"username": f"dahulu-{number}", "email": "pelapor@example.id"})
            )
    ask_often(service, *(f"dahulu-{number}" for number in range(OLDEST + 1)))
    assert ask_often(service, "pelapor") == {"pelapor": ASKED}


def test_a_reporter_of_before_who_is_not_indexed_yet_has_a_share_by_user_name(service):
    for number in range(OLDEST + 1):
        register(service, f"kemudian-{number}", at=NOW + timedelta(seconds=1 + number))
    ask_often(service, *(f"kemudian-{number}" for number in reversed(range(OLDEST + 1))))
    assert ask_often(service, "pelapor") == {"pelapor": ASKED}


def test_codes_that_were_counted_for_an_address_are_forgotten_after_an_hour(service):
    service.index_addresses()
    ask_often(service, "pelapor")
    change(service, postboxes={"since": NOW - PER - timedelta(minutes=1)})
    service.forget_attempts()
    assert (rows(service, postboxes), rows(service, shares)) == ([], [])
    assert ask_often(service, "pelapor") == {"pelapor": ASKED}


@pytest.mark.parametrize("strangers", [0, 1])
def test_what_was_asked_for_an_address_shows_in_no_account_that_has_left_it(service, strangers):
    service.index_addresses()
    for number in range(ACCOUNTS):
        register(service, f"sendiri-{number}", "tujuan@example.id", at=NOW + timedelta(1))
    if strangers:
        register(service, "orang-lain", "tujuan@example.id")
    for _ in range(ASKED):
        ask_by_address(service, "tujuan@example.id")
    last = f"sendiri-{ACCOUNTS - 1}"
    change_to = VAULT.encrypt({"username": last, "email": "sendiri@example.id"})
    with service.uow.begin() as work:
        work.accounts.replace_identity(last, change_to)
        work.accounts.index_address(last, VAULT.address_index("sendiri@example.id"), NOW)
    ask(service, last)
    service.answer_resets()
    assert "sendiri@example.id" in {letter["email"] for letter in letters(service)}


def test_asking_by_address_does_the_same_work_whether_anybody_has_it(service):
    service.index_addresses()
    work = {}
    event.listen(
        service.uow.database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: work[doing].append(statement),
    )
    for doing in ("pelapor@example.id", "tidak-ada@example.id", "pelapor-ditutup@example.id", "pelapor"):
        work[doing] = []
        asked(service, INTAKE[1], "request_reset", {"email" if "@" in doing else "username": doing})
    assert len({tuple(done) for done in work.values()}) == 1


def test_reporters_of_before_are_found_by_address_and_one_who_cannot_be_read_stops_nobody(service):
    assert ask_by_address(service) == {}
    change_identity = update(reporters).where(reporters.c.id == "pelapor-ditutup").values(identity="damaged")
    with service.uow.database.writing() as connection:
        connection.execute(change_identity)
    service.index_addresses()
    assert ask_by_address(service) == {"pelapor": "pelapor@example.id"}


def test_who_has_another_address_is_found_by_that_one_alone(service):
    service.index_addresses()
    asked(
        service,
        INTAKE[1],
        "change_contact",
        {"email": "baru@example.id", "password": "pelapor"},
        Actor("pelapor", "reporter", None, "s-pelapor"),
    )
    assert ask_by_address(service) == {}
    assert ask_by_address(service, "baru@example.id") == {"pelapor": "baru@example.id"}


def test_an_address_that_a_version_before_has_changed_is_sent_no_letter_for_the_old_one(service):
    service.index_addresses()
    change(service, reporters={"identity": VAULT.encrypt({"username": "pelapor", "email": "baru@example.id"})})
    assert ask_by_address(service) == {}
    assert ask_by_address(service, "baru@example.id") == {"pelapor": "baru@example.id"}


@pytest.mark.parametrize("form", [{}, {"username": "pelapor", "email": "pelapor@example.id"}])
def test_it_is_asked_by_user_name_or_by_address(service, form):
    with pytest.raises(InvalidInput):
        asked(service, INTAKE[1], "request_reset", form)


def test_what_was_asked_for_an_hour_ago_is_not_answered_any_more(service):
    ask(service, "pelapor")
    change(service, reset_requests={"asked_at": datetime.now(UTC) - LIFETIME})
    service.answer_resets()
    assert (letters(service), rows(service, reset_requests)) == ([], [])


def test_an_identity_that_cannot_be_decrypted_stops_no_other_request(service):
    change(service, reporters={"identity": "damaged"})
    ask(service, "pelapor")
    service.answer_resets()
    assert (letters(service), rows(service, reset_requests)) == ([], [])


def test_neither_the_outbox_nor_any_table_holds_the_code(service):
    code = code_for(service)
    held = str([rows(service, table) for table in metadata.sorted_tables])
    assert "password.reset_requested.v1" in held
    assert code not in held
    assert "pelapor@example.id" not in held


def test_a_code_sets_the_password_once(service):
    code = code_for(service)
    complete(service, code)
    assert hash_of_reporter(service) == "hash of sandi yang baru 42"
    with pytest.raises(ResetExpired):
        complete(service, code, "sandi yang lain 43")
    assert hash_of_reporter(service) == "hash of sandi yang baru 42"


def test_a_code_that_was_used_by_another_call_meanwhile_is_refused(service):
    code = code_for(service)

    class Slow(Passwords):
        def hash(self, password):
            service.passwords = Passwords()
            complete(service, code, "yang lebih cepat 1")
            return super().hash(password)

    service.passwords = Slow()
    with pytest.raises(ResetExpired):
        complete(service, code, "yang lebih lambat 2")
    assert hash_of_reporter(service) == "hash of yang lebih cepat 1"


@pytest.mark.parametrize(
    "changed",
    [
        {"password_resets": {"expires_at": NOW - timedelta(seconds=1)}},
        {"password_resets": {"token_hash": None}},
        {"accounts": {"disabled_at": NOW}},
    ],
    ids=["expired", "used", "disabled"],
)
def test_a_code_that_is_no_good_any_more_sets_nothing(service, changed):
    code = code_for(service)
    change(service, **changed)
    with pytest.raises(ResetExpired):
        complete(service, code)
    assert hash_of_reporter(service) == "hash of pelapor"


def test_a_changed_password_makes_a_code_that_is_under_way_useless(service):
    code = code_for(service)
    change_password(service, "s-pelapor")
    assert [row.token_hash for row in rows(service, password_resets)] == [None]
    with pytest.raises(ResetExpired):
        complete(service, code)


@pytest.mark.parametrize("session", [None, "s-another", "s-ended", "s-expired"])
def test_only_in_an_open_session_is_a_password_changed(service, session):
    with service.uow.database.writing() as connection:
        for name, values in (("s-ended", {"ended_at": NOW}), ("s-expired", {"expires_at": NOW})):
            connection.execute(
                insert(sessions).values(
                    {"id": name, "account_id": "pelapor", "refresh_hash": name, "expires_at": NOW + LIFETIME} | values
                )
            )
    with pytest.raises(NotAuthenticated):
        change_password(service, session)
    assert hash_of_reporter(service) == "hash of pelapor"


def test_who_logs_in_with_a_password_that_was_hashed_as_it_was_typed_has_it_hashed_anew(service):
    class OfBefore(Passwords):
        def renewed(self, password, password_hash):
            return "a new hash"

    service.passwords, service.signing_key = OfBefore(), as_pem(new_keys()["NKK_TOKEN_SIGNING_KEY"])
    with pytest.raises(NotAuthenticated):
        asked(service, INTAKE[1], "log_in", {"username": "pelapor", "password": "salah"})
    assert hash_of_reporter(service) == "hash of pelapor"
    assert asked(service, INTAKE[1], "log_in", {"username": "pelapor", "password": "pelapor"})["role"] == "reporter"
    assert hash_of_reporter(service) == "a new hash"


class Replaced(Passwords):
    """Another process replaces the hash `often` times, each time after it was compared."""

    def __init__(self, service, often, monkeypatch):
        self._service, self._often, self._inside = service, often, 0
        self.compared = 0
        plain = service.uow.begin

        @contextmanager
        def begin():
            with plain() as work:
                self._inside += 1
                try:
                    yield work
                finally:
                    self._inside -= 1

        monkeypatch.setattr(service.uow, "begin", begin)

    def matches(self, password, password_hash):
        assert not self._inside, "a hash is computed while a transaction is open"
        self.compared += 1
        if password_hash and self.compared <= self._often:
            change(self._service, accounts={"password_hash": f"hash {self.compared} of pelapor"})
        return (password_hash or "").endswith(f" of {password}")


ACTS = {
    "log in": lambda service: asked(service, INTAKE[1], "log_in", {"username": "pelapor", "password": "pelapor"}),
    "change password": lambda service: change_password(service, "s-pelapor"),
    "change contact": lambda service: asked(
        service,
        INTAKE[1],
        "change_contact",
        {"password": "pelapor", "email": "baru@example.id", "phone": None},
        Actor("pelapor", "reporter", None, "s-pelapor"),
    ),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_no_hash_is_computed_in_a_transaction_though_it_was_replaced_meanwhile(service, monkeypatch, act):
    service.signing_key = as_pem(new_keys()["NKK_TOKEN_SIGNING_KEY"])
    service.passwords = Replaced(service, 2, monkeypatch)
    act(service)
    assert service.passwords.compared >= 2


def test_a_hash_that_is_replaced_again_and_again_is_not_waited_for(service, monkeypatch):
    service.signing_key = as_pem(new_keys()["NKK_TOKEN_SIGNING_KEY"])
    service.passwords = Replaced(service, 1_000, monkeypatch)
    with pytest.raises(BusyError):
        ACTS["log in"](service)
    assert service.passwords.compared < 20
