from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop import faults
from nkk.sop.catalogue import CATEGORIES, OPDS
from nkk.sop.clock import WIB, write_instant
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotAuthenticated
from nkk.sop.registration import check_credentials, check_identity_number, check_registration
from nkk.sop.steps import STAFF_ROLES, ReporterKind, Role
from nkk.sop.ticket import read_ticket
from services.intake.domain import (
    Account,
    AlreadyHandedOver,
    HashReplaced,
    LastAdmin,
    check_against_catalogue,
    check_staff,
    wrong_credentials,
)
from tests.builders import MONDAY, complaint, complaint_form

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def fields_at_fault(check, *args):
    with pytest.raises(InvalidInput) as refused:
        check(*args)
    return set(refused.value.details["fields"])


# -- NIK and NIP: numbers composed of a region, a date and zeros

VALID = {
    "a man's NIK": (ReporterKind.PUBLIC, "1971011503900001"),
    "a woman's NIK": (ReporterKind.PUBLIC, "1971015503900001"),
    "a NIK of a leap day": (ReporterKind.PUBLIC, "1971012902000001"),
    "a NIK of somebody born in this century": (ReporterKind.PUBLIC, "1971010107250001"),
    "a NIK of somebody born a hundred years ago": (ReporterKind.PUBLIC, "1971013112260001"),
    "a man's NIP": (ReporterKind.CIVIL_SERVANT, "198503152010011001"),
    "a woman's NIP": (ReporterKind.CIVIL_SERVANT, "199012312015122002"),
    "a NIP of staff on a work agreement": (ReporterKind.CIVIL_SERVANT, "199203102023211001"),
    "a NIP of staff on a fourth agreement": (ReporterKind.CIVIL_SERVANT, "199001012025242001"),
    "a NIP of staff on a second agreement": (ReporterKind.CIVIL_SERVANT, "199001012019221001"),
    "a NIP of a leap day": (ReporterKind.CIVIL_SERVANT, "198802292010011001"),
    "a NIP of this month's appointment": (ReporterKind.CIVIL_SERVANT, "200001012026031001"),
}


@pytest.mark.parametrize(("kind", "number"), list(VALID.values()), ids=list(VALID))
def test_an_identity_number_that_can_be_is_taken(kind, number):
    assert check_identity_number(kind, number, TODAY) is None


IMPOSSIBLE = {
    "no digits": (ReporterKind.PUBLIC, ""),
    "a NIK one digit short": (ReporterKind.PUBLIC, "197101150390000"),
    "a NIK one digit long": (ReporterKind.PUBLIC, "19710115039000011"),
    "a NIP in the place of a NIK": (ReporterKind.PUBLIC, "198503152010011001"),
    "a NIK in the place of a NIP": (ReporterKind.CIVIL_SERVANT, "1971011503900001"),
    "a NIK in Arabic-Indic digits": (ReporterKind.PUBLIC, "١٩٧١٠١١٥٠٣٩٠٠٠٠١"),
    "a NIP in full-width digits": (ReporterKind.CIVIL_SERVANT, "１９８５０３１５２０１００１１００１"),
    "a NIK in superscript": (ReporterKind.PUBLIC, "197101150390000¹"),
    "a NIK with a line end": (ReporterKind.PUBLIC, "1971011503900001\n"),
    "a NIK with spaces": (ReporterKind.PUBLIC, "1971 0115 0390 01"),
    "a NIK with a letter": (ReporterKind.PUBLIC, "19710115039O0001"),
    "a NIK of no region": (ReporterKind.PUBLIC, "0971011503900001"),
    "a NIK of no serial number": (ReporterKind.PUBLIC, "1971011503900000"),
    "a NIK of day 0": (ReporterKind.PUBLIC, "1971010003900001"),
    "a NIK of day 32": (ReporterKind.PUBLIC, "1971013203900001"),
    "a woman's NIK of day 40": (ReporterKind.PUBLIC, "1971014003900001"),
    "a woman's NIK of day 72": (ReporterKind.PUBLIC, "1971017203900001"),
    "a NIK of month 13": (ReporterKind.PUBLIC, "1971011513900001"),
    "a NIK of 30 February": (ReporterKind.PUBLIC, "1971013002900001"),
    "a NIK of 29 February in no leap year": (ReporterKind.PUBLIC, "1971012902010001"),
    "a NIP of 29 February in no leap year": (ReporterKind.CIVIL_SERVANT, "198902292010011001"),
    "a NIP of month 13": (ReporterKind.CIVIL_SERVANT, "198513152010011001"),
    "a NIP of somebody not born yet": (ReporterKind.CIVIL_SERVANT, "202703152045011001"),
    "a NIP of somebody born before 1900": (ReporterKind.CIVIL_SERVANT, "189903151920011001"),
    "a NIP of an appointment to come": (ReporterKind.CIVIL_SERVANT, "198503152026041001"),
    "a NIP of an appointment in month 13": (ReporterKind.CIVIL_SERVANT, "198503152010131001"),
    "a NIP of an appointment in month 0": (ReporterKind.CIVIL_SERVANT, "198503152010001001"),
    "a NIP of a child's appointment": (ReporterKind.CIVIL_SERVANT, "200003152014011001"),
    "a NIP of neither sex": (ReporterKind.CIVIL_SERVANT, "198503152010013001"),
    "a NIP of no serial number": (ReporterKind.CIVIL_SERVANT, "198503152010011000"),
}


@pytest.mark.parametrize(("kind", "number"), list(IMPOSSIBLE.values()), ids=list(IMPOSSIBLE))
def test_an_identity_number_that_cannot_be_is_refused(kind, number):
    assert fields_at_fault(check_identity_number, kind, number, TODAY) == {"identity_number"}


@pytest.mark.parametrize(
    ("which", "fault"),
    [
        ("a NIK one digit short", faults.NUMBER_LENGTH(kind="NIK", digits=16, given=15)),
        ("a NIP in the place of a NIK", faults.NUMBER_LENGTH(kind="NIK", digits=16, given=18)),
        ("a NIK with a letter", faults.NUMBER_NOT_DIGITS(kind="NIK", digits=16)),
        ("a NIK of no region", faults.NIK_PROVINCE()),
        ("a NIK of no serial number", faults.NIK_SERIAL()),
        ("a woman's NIK of day 40", faults.NIK_DAY()),
        ("a NIK of day 0", faults.NIK_DAY()),
        ("a NIK of month 13", faults.NIK_MONTH()),
        ("a NIK of 30 February", faults.NIK_DATE()),
        ("a NIP of neither sex", faults.NIP_SEX()),
        ("a NIP of no serial number", faults.NIP_SERIAL()),
    ],
)
def test_a_refusal_of_an_identity_number_says_which_digits_cannot_be(which, fault):
    with pytest.raises(InvalidInput) as refused:
        check_identity_number(*IMPOSSIBLE[which], TODAY)
    assert refused.value.details["fields"]["identity_number"] == [fault]


@pytest.mark.parametrize(("kind", "number"), list(IMPOSSIBLE.values())[1:], ids=list(IMPOSSIBLE)[1:])
def test_a_refusal_of_an_identity_number_never_quotes_it(kind, number):
    with pytest.raises(InvalidInput) as refused:
        check_identity_number(kind, number, TODAY)
    assert number not in f"{refused.value} {refused.value.details}"


@given(st.dates(date(1926, 4, 1), TODAY), st.booleans(), st.integers(1, 9999))
def test_every_birthday_of_a_hundred_years_makes_a_nik(born, woman, serial):
    nik = f"197101{born.day + 40 * woman:02d}{born:%m%y}{serial:04d}"
    assert check_identity_number(ReporterKind.PUBLIC, nik, TODAY) is None


# -- accounts


def account(**changed):
    return Account(**{"id": "a", "login_index": "i", "password_hash": "h", "role": "operator", **changed})


def test_a_hash_that_was_replaced_meanwhile_is_compared_anew_and_a_disabled_account_lets_nobody_in():
    known, who = account(), account()
    assert who.is_open_by(known)
    with pytest.raises(HashReplaced):
        account(password_hash="another").is_open_by(known)
    who.disable(NOW, 1)
    assert not who.is_open_by(known)


def test_an_account_is_disabled_once():
    who = account()
    who.disable(NOW, 1)
    who.disable(NOW + timedelta(days=1), 1)
    assert who.disabled_at == NOW


def test_all_that_is_wrong_with_a_registration_is_said_at_once():
    form = {"kind": "public", "identity_number": "123", "username": "Siti Nur", "password": "123"}
    assert fields_at_fault(check_registration, form, TODAY) == {"identity_number", "username", "password"}
    assert fields_at_fault(check_registration, form | {"identity_number": "1971011503900001"}, TODAY) == {
        "username",
        "password",
    }
    check_registration(
        {
            "kind": "public",
            "identity_number": "1971011503900001",
            "username": "siti-nur",
            "password": "rumah kecil di tepi laut",
        },
        TODAY,
    )


def test_the_last_admin_who_is_open_is_not_disabled_and_no_other_is_kept():
    admin = account(role="admin")
    with pytest.raises(LastAdmin):
        admin.disable(NOW, 1)
    assert admin.disabled_at is None
    admin.disable(NOW, 2)
    assert admin.disabled_at == NOW
    admin.disable(NOW + timedelta(days=1), 0)
    assert admin.disabled_at == NOW


def test_a_reset_enables_and_changes_the_password():
    who = account()
    who.disable(NOW, 1)
    who.reset("new hash")
    assert (who.password_hash, who.disabled_at) == ("new hash", None)


def test_all_failed_log_ins_are_refused_in_the_same_words():
    assert str(wrong_credentials()) == str(wrong_credentials())
    assert isinstance(wrong_credentials(), NotAuthenticated)
    assert wrong_credentials().details == {}


@pytest.mark.parametrize("username", ["abc", "a.b-c_d", "0815", "a" * 64])
def test_a_plain_user_name_is_taken(username):
    assert check_credentials(username, "correct horse battery") is None


@pytest.mark.parametrize(
    "username", ["", "ab", "a" * 65, "Abc", ".abc", "-abc", "a b c", "abc\n", "abç", "a/../b", "admin@example.org"]
)
def test_any_other_user_name_is_refused(username):
    assert fields_at_fault(check_credentials, username, "correct horse battery") == {"username"}


@pytest.mark.parametrize("password", ["", "ninechars", "x" * 129])
def test_a_password_too_short_or_too_long_is_refused(password):
    assert fields_at_fault(check_credentials, "somebody", password) == {"password"}


@pytest.mark.parametrize("password", ["xyzuv" * 2, "xyzuvwas" * 16, "👍🌊🔑🐢🍃" * 2, "sandi dengan spasi"])
def test_a_password_of_ten_to_128_characters_of_any_script_is_taken(password):
    assert check_credentials("somebody", password) is None


@pytest.mark.parametrize("password", [" " * 10, "a" * 128, "abcdabcdabcd"])
def test_a_password_of_hardly_any_different_characters_is_refused(password):
    with pytest.raises(InvalidInput) as refused:
        check_credentials("warga", password)
    assert refused.value.details["fields"]["password"] == [faults.PASSWORD_TOO_PLAIN(least=5)]


def test_a_password_must_not_contain_the_user_name():
    assert fields_at_fault(check_credentials, "somebody", "xxSomeBodyxx") == {"password"}


def test_everything_wrong_with_credentials_is_said_at_once():
    assert fields_at_fault(check_credentials, "A", "short") == {"username", "password"}


@pytest.mark.parametrize("role", [role for role in STAFF_ROLES if role != Role.OPD_TEAM])
def test_a_team_of_no_opd_has_none(role):
    assert check_staff(role, None, OPDS) is None
    assert fields_at_fault(check_staff, role, "disdukcapil", OPDS) == {"opd"}


@pytest.mark.parametrize("opd", [None, "", "dinas-lain"])
def test_an_opd_team_belongs_to_an_opd_of_the_roster(opd):
    assert check_staff(Role.OPD_TEAM, "disdukcapil", OPDS) is None
    assert fields_at_fault(check_staff, Role.OPD_TEAM, opd, OPDS) == {"opd"}


@pytest.mark.parametrize("role", ["reporter", "root", ""])
def test_no_other_role_is_a_staff_role(role):
    assert fields_at_fault(check_staff, role, None, OPDS) == {"role"}


# -- the report


def test_a_report_starts_the_clocks_of_step_2_and_of_the_whole_service():
    report = complaint(now=MONDAY)
    assert report.submitted_at == MONDAY
    assert report.due_at == MONDAY + timedelta(minutes=10)
    assert report.service_due_at == datetime(2026, 3, 4, 8, 0, tzinfo=WIB)


def test_a_report_sent_in_the_night_is_due_in_the_morning():
    report = complaint(now=datetime(2026, 3, 6, 23, 59, tzinfo=WIB))
    assert report.due_at == datetime(2026, 3, 9, 7, 40, tzinfo=WIB)
    assert report.service_due_at == datetime(2026, 3, 10, 16, 0, tzinfo=WIB)


def test_each_report_has_a_ticket_of_its_own():
    one, other = complaint(), complaint()
    assert read_ticket(one.ticket) == one.ticket
    assert one.ticket != other.ticket


def test_what_the_reporter_wrote_is_kept():
    form = complaint_form(text="<b>apa adanya</b> 👍", confidential=True)
    report = complaint(**form)
    assert {name: getattr(report, name) for name in form} == form


def test_a_new_report_awaits_its_hand_over():
    assert complaint(now=MONDAY).stands() == {"state": "awaiting_hand_over", "since": write_instant(MONDAY)}


def test_a_hand_over_says_who_and_when():
    report = complaint()
    report.hand_over("operator-1", NOW)
    assert (report.handed_over_by, report.handed_over_at) == ("operator-1", NOW)
    assert report.stands() == {"state": "handed_over", "since": write_instant(NOW)}


def test_a_second_hand_over_is_refused_and_changes_nothing():
    report = complaint()
    report.hand_over("operator-1", NOW)
    with pytest.raises(AlreadyHandedOver) as refused:
        report.hand_over("operator-2", NOW + timedelta(hours=1))
    assert refused.value.details == {"stands": {"state": "handed_over", "since": write_instant(NOW)}}
    assert isinstance(refused.value, AlreadyDone)
    assert (report.handed_over_by, report.handed_over_at) == ("operator-1", NOW)


def test_a_form_of_the_catalogue_is_taken():
    assert check_against_catalogue(complaint_form(), CATEGORIES, OPDS) is None
    assert check_against_catalogue(complaint_form(accused_opd=None), CATEGORIES, OPDS) is None


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"category": "lainnya"}, {"category"}),
        ({"sub_category": "bernegara"}, {"sub_category"}),
        ({"accused_opd": "dinas-lain"}, {"accused_opd"}),
        ({"category": "lainnya", "accused_opd": "dinas-lain"}, {"category", "accused_opd"}),
    ],
)
def test_what_is_not_on_the_lists_is_refused_by_field(changed, fields):
    assert fields_at_fault(check_against_catalogue, complaint_form(**changed), CATEGORIES, OPDS) == fields


def test_a_ticket_bears_the_year_in_jakarta():
    assert complaint(now=datetime(2027, 1, 1, 3, 0, tzinfo=WIB)).ticket.startswith("NKK-2027-")
