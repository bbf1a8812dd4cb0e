import pytest
from argon2 import PasswordHasher

from nkk.messaging.calls import BusyError
from services.intake import hashing
from services.intake.hashing import Passwords


@pytest.fixture
def passwords(monkeypatch):
    # The thread pool belongs to eventlet; here the work is done directly.
    monkeypatch.setattr(hashing, "in_thread", lambda work, *args: work(*args))
    return Passwords(places=2)


def test_a_password_matches_its_own_hash_only(passwords):
    stored = passwords.hash("sandi yang panjang")
    assert passwords.matches("sandi yang panjang", stored)
    assert not passwords.matches("sandi yang pendek", stored)


def test_a_hash_is_argon2id_and_salted(passwords):
    one, other = passwords.hash("sandi yang panjang"), passwords.hash("sandi yang panjang")
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != other


def test_an_unknown_account_takes_a_decoy_and_as_much_work(passwords, monkeypatch):
    compared = []
    monkeypatch.setattr(hashing, "in_thread", lambda work, stored, password: compared.append(stored))
    passwords.matches("sandi yang panjang", None)
    assert [stored.split("$")[1:4] for stored in compared] == [passwords._hasher.hash("x").split("$")[1:4]]


def test_not_even_the_decoys_own_password_matches_an_unknown_account(passwords):
    assert passwords.matches("nobody has this password", passwords._decoy)
    assert not passwords.matches("nobody has this password", None)


def test_a_damaged_hash_matches_nothing(passwords):
    assert not passwords.matches("sandi yang panjang", "no hash")


def test_a_password_fits_however_its_letters_are_composed(passwords):
    kept = passwords.hash("caf\u00e9 di pasar")
    assert passwords.matches("cafe\u0301\u00a0di pasar", kept)
    assert passwords.renewed("cafe\u0301\u00a0di pasar", kept) == kept


def test_a_hash_of_a_password_as_it_was_typed_still_fits_and_is_made_anew(passwords):
    typed = "cafe\u0301\u00a0di pasar"
    old = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(typed)
    assert passwords.matches(typed, old)
    assert not passwords.matches("caf\u00e9 di pasar", old)
    new = passwords.renewed(typed, old)
    assert passwords.matches("caf\u00e9 di pasar", new)


@pytest.mark.parametrize("password", ["kata sandi biasa", "cafe\u0301 di pasar"])
def test_as_many_hashes_are_computed_whether_there_is_an_account_or_not(passwords, monkeypatch, password):
    kept, computed = passwords.hash(password), []
    monkeypatch.setattr(hashing, "in_thread", lambda work, *args: computed.append(work) or work(*args))
    counts = set()
    for password_hash in (kept, passwords.hash("yang lain sekali"), None):
        computed.clear()
        passwords.matches(password, password_hash)
        counts.add(len(computed))
    assert len(counts) == 1


def test_nobody_waits_for_a_hash_where_all_places_are_taken_and_a_place_is_free_again_however_it_ended(
    passwords, monkeypatch
):
    stored, computed = passwords.hash("sandi yang panjang"), []

    def computes(work, *args):
        computed.append(work)
        if len(computed) < 2:
            # Another request comes meanwhile.
            passwords.hash("sandi yang lain")
        else:
            for act in (
                lambda: passwords.hash("x"),
                lambda: passwords.matches("x", None),
                lambda: passwords.matches("x", stored),
            ):
                with pytest.raises(BusyError):
                    act()
        return work(*args)

    monkeypatch.setattr(hashing, "in_thread", computes)
    assert not passwords.matches("sandi yang salah", stored)
    assert len(computed) == 2
    monkeypatch.setattr(hashing, "in_thread", lambda work, *args: work(*args))
    for _ in range(3):
        assert not passwords.matches("sandi yang salah", stored)
        assert passwords.matches("sandi yang panjang", stored)


def test_whatever_strangers_do_there_is_a_place_for_staff_at_a_device_that_is_known(passwords, monkeypatch):
    taken = []

    def computes(work, *args):
        if not taken:
            taken.append(work)
            with pytest.raises(BusyError):
                strangers.hash("x")
            assert len(strangers.of_known_staff.hash("sandi staf")) > 0
        return work(*args)

    strangers = Passwords(places=1, spare=1)
    monkeypatch.setattr(hashing, "in_thread", computes)
    strangers.hash("sandi warga")
    assert taken
