import re
from datetime import UTC, datetime, timedelta

import pytest

from nkk.sop.refusals import InvalidInput
from nkk.sop.registration import check_password
from nkk.sop.steps import STAFF_ROLES
from services.intake.domain import Account
from services.intake.resets import (
    ASKED,
    LIFETIME,
    OLDEST,
    PER,
    PasswordReset,
    Postbox,
    hash_of,
    may_be_reset,
    reset_expired,
)

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def account(**changed):
    return Account(**{"id": "a", "login_index": "i", "password_hash": "h", "role": "reporter", **changed})


def test_a_reporters_password_may_be_reset_also_while_the_account_is_locked():
    assert may_be_reset(account())


@pytest.mark.parametrize("who", [None, account(disabled_at=NOW), *(account(role=role) for role in STAFF_ROLES)])
def test_nobody_elses_password_may_be_reset_by_letter(who):
    assert not may_be_reset(who)


def test_a_code_can_be_pasted_from_any_mail_program_and_is_kept_as_a_hash_alone():
    reset = PasswordReset("a")
    code = reset.renew(NOW)
    assert re.fullmatch(r"[0-9a-f]{40}", code)
    assert reset.token_hash == hash_of(code)
    assert code not in str(reset)


def test_a_code_is_known_however_it_was_pasted():
    code = PasswordReset("a").renew(NOW)
    broken = f" {code[:20].upper()}\r\n {code[20:30]}\u00ad-\u2010{code[30:]}\u200b\n"
    assert hash_of(broken) == hash_of(code)
    assert hash_of(code[:-1]) != hash_of(code)


def test_a_code_is_good_for_an_hour():
    reset = PasswordReset("a")
    reset.renew(NOW)
    assert reset.expires_at == NOW + timedelta(hours=1) == NOW + LIFETIME
    assert reset.is_good(NOW + LIFETIME - SECOND)
    assert not reset.is_good(NOW + LIFETIME)


def test_before_a_code_was_asked_for_none_is_good():
    assert not PasswordReset("a").is_good(NOW)


def test_the_newest_code_wins():
    reset = PasswordReset("a")
    one, other = reset.renew(NOW), reset.renew(NOW + SECOND)
    assert one != other
    assert (reset.token_hash, reset.expires_at) == (hash_of(other), NOW + SECOND + LIFETIME)


def test_codes_are_sent_of_an_account_a_few_times_an_hour():
    postbox = Postbox("address", NOW)
    assert [postbox.admitted(["a"], {"a": NOW}, NOW + number * SECOND) for number in range(ASKED + 2)] == [
        *(["a"],) * ASKED,
        [],
        [],
    ]
    assert postbox.admitted(["a"], {"a": NOW}, NOW + PER - SECOND) == []
    assert [postbox.admitted(["a"], {"a": NOW}, NOW + PER) for _ in range(ASKED + 1)] == [*(["a"],) * ASKED, []]


def test_those_who_are_not_among_the_oldest_of_an_address_use_up_what_they_have_together():
    postbox, oldest = Postbox("address", NOW), {f"old {number}": NOW for number in range(OLDEST)}
    for number in range(ASKED):
        assert postbox.admitted([f"new {number}", "new"], oldest, NOW) == [f"new {number}", "new"]
    assert postbox.admitted(["another", "old 0"], oldest, NOW) == ["old 0"]


def test_no_more_accounts_than_the_oldest_have_a_share_whoever_leaves():
    postbox = Postbox("address", NOW)
    for number in range(3 * OLDEST):
        name = f"{number}"
        for _ in range(ASKED + 1):
            postbox.admitted([name], {name: NOW + number * SECOND}, NOW)
    assert len(postbox.shares) == OLDEST
    assert sum(postbox.shares[name].told for name in postbox.shares) + postbox.told == ASKED * (OLDEST + 1)


def test_a_refused_code_is_answered_with_nothing_about_it():
    assert reset_expired().details == {}


# -- the password itself


@pytest.mark.parametrize("password", ["ninechars", "x" * 129, "abcdabcdabcd", "xWarga-7x-sandi"])
def test_a_new_password_keeps_the_rules_of_registration_and_is_refused_by_the_field_it_came_in(password):
    for field in ("password", "new_password"):
        with pytest.raises(InvalidInput) as refused:
            check_password("warga-7", password, field)
        assert set(refused.value.details["fields"]) == {field}
        assert password not in str(refused.value.details)


def test_a_good_password_is_taken():
    assert check_password("warga-7", "sandi yang baru 42") is None
