import json
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet, InvalidToken

from nkk.messaging.boxes import Question, UnreadableBoxError
from nkk.trust.sealing import new_key_pair, unseal
from services.intake.identity import Vault

WHO = {"name": "Pelapor Contoh", "identity_number": "1971011503900001", "email": "pelapor@example.org", "phone": None}
INTAKE = new_key_pair()
NOTIFICATION = new_key_pair()
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def vault(*keys, index_key="index"):
    return Vault(list(keys) or [NEW], index_key, INTAKE[0], NOTIFICATION[1])


def test_an_identity_is_decrypted_as_it_was():
    assert vault().decrypt(vault().encrypt(WHO)) == WHO


def test_an_encrypted_identity_shows_nothing_and_never_looks_the_same_twice():
    one, other = vault().encrypt(WHO), vault().encrypt(WHO)
    assert one != other
    assert "Pelapor" not in one + other


def test_with_a_wrong_key_nothing_is_decrypted():
    with pytest.raises(InvalidToken):
        vault(NEW).decrypt(vault(OLD).encrypt(WHO))


def test_after_a_rotation_the_old_key_still_decrypts_and_the_new_one_encrypts():
    ring = vault(NEW, OLD)
    assert ring.decrypt(vault(OLD).encrypt(WHO)) == WHO
    assert vault(NEW).decrypt(ring.encrypt(WHO)) == WHO


def test_once_encrypted_anew_an_identity_no_longer_needs_the_old_key():
    old = vault(OLD).encrypt(WHO)
    new = vault(NEW, OLD).reencrypt(old)
    assert vault(NEW).decrypt(new) == WHO
    with pytest.raises(InvalidToken):
        vault(OLD).decrypt(new)


NOBODY = {"name": "A", "identity_number": "1", "email": "a@b.id", "phone": None, "username": "abc"}
LONGEST = {
    "name": "N" * 150,
    "identity_number": "1" * 32,
    "email": "e" * 254,
    "phone": "+" + "0" * 19,
    "username": "u" * 64,
}


def test_who_somebody_is_cannot_be_told_from_how_long_it_is_encrypted():
    assert len({len(vault().encrypt(who)) for who in (NOBODY, WHO, LONGEST)}) == 1


def test_an_identity_of_before_is_read_and_encrypted_anew_as_long_as_others():
    old = Fernet(NEW).encrypt(json.dumps(WHO).encode()).decode()
    assert vault().decrypt(old) == WHO
    again = vault().reencrypt(old)
    assert vault().decrypt(again) == WHO
    assert len(again) == len(vault().encrypt(LONGEST))


@pytest.mark.parametrize("token", ["", "x", "gAAAAA"])
def test_what_is_no_token_is_not_decrypted(token):
    with pytest.raises(InvalidToken):
        vault().decrypt(token)


def test_a_user_name_is_found_however_it_is_typed_and_is_not_shown():
    index = vault().login_index("somebody")
    assert index == vault().login_index("  SomeBody ")
    assert index != vault().login_index("somebody-else")
    assert "somebody" not in index


@pytest.mark.parametrize("typed", ["some\u2011body", "some\u200b-body", "\uff53ome-body", "some-body\u00a0"])
def test_a_user_name_is_found_by_what_people_see_of_it(typed):
    assert vault().login_index(typed) == vault().login_index("some-body")


def test_without_the_index_key_user_names_cannot_be_guessed_at():
    assert vault().login_index("somebody") != vault(index_key="another").login_index("somebody")


def test_what_was_sealed_for_intake_is_opened():
    box = Question("log_in", {"username": "somebody"}, INTAKE[1]).box
    assert vault().open(box, "log_in", datetime.now(UTC)).content == {"username": "somebody"}


def test_what_was_sealed_for_somebody_else_is_refused():
    box = Question("log_in", {"username": "somebody"}, NOTIFICATION[1]).box
    with pytest.raises(UnreadableBoxError, match="NKK_INTAKE_PUBLIC_KEY"):
        vault().open(box, "log_in", datetime.now(UTC))


def test_a_contact_is_sealed_for_notification_alone():
    box = vault().seal_for_notification({"email": "pelapor@example.org"})
    assert unseal(box, NOTIFICATION[0]) == {"email": "pelapor@example.org"}
    with pytest.raises(UnreadableBoxError):
        vault().open(box, "log_in", datetime.now(UTC))


@pytest.mark.parametrize("written", ["siti@xn--bcher-kva.example", "Siti@BÜCHER.example", " siti@bücher.example\u200b"])
def test_an_address_is_looked_up_however_its_domain_is_written(written):
    assert vault().address_index(written) == vault().address_index("siti@bücher.example")
