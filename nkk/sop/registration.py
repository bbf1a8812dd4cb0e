"""What an account may be registered with: a NIK or NIP that can be one, a user name, a password. Pure."""

import re
from collections.abc import Mapping
from datetime import date

from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import ReporterKind

PASSWORD_LENGTH = (10, 128)
DIFFERENT_CHARACTERS = 5
FIRST_AGREEMENT = 21
"""Digits 13 and 14 of the NIP of staff on their first work agreement; a month is at most 12."""

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")


def problems(form: Mapping[str, str], today: date) -> dict[str, str]:
    """What will not do of a registration, by field, as far as `form` holds it: nobody is to find out one by one."""
    found: dict[str, str | None] = {}
    if "kind" in form and "identity_number" in form:
        found["identity_number"] = _number_problem(ReporterKind(form["kind"]), form["identity_number"], today)
    if "username" in form:
        found["username"] = _username_problem(form["username"])
    if "password" in form:
        found["password"] = _password_problem(form.get("username", ""), form["password"])
    return {field: problem for field, problem in found.items() if problem}


def check_registration(form: Mapping[str, str], today: date) -> None:
    """Raise InvalidInput, naming everything of a registration that will not do."""
    _raise(problems(form, today))


def check_credentials(username: str, password: str) -> None:
    """Raise InvalidInput where the user name or password of a new account will not do."""
    _raise(problems({"username": username, "password": password}, date.min))


def check_password(username: str, password: str, field: str = "password") -> None:
    """Raise InvalidInput, at fault being `field`, where the new password of the account `username` will not do."""
    problem = _password_problem(username, password)
    _raise({field: problem} if problem else {})


def check_identity_number(kind: ReporterKind, number: str, today: date) -> None:
    """Raise InvalidInput where `number` cannot be a NIK (member of the public) or a NIP (civil servant)."""
    problem = _number_problem(kind, number, today)
    _raise({"identity_number": problem} if problem else {})


def _raise(wrong: Mapping[str, str]) -> None:
    if wrong:
        raise InvalidInput.of(**wrong)


def _username_problem(username: str) -> str | None:
    if not USERNAME.fullmatch(username):
        return "3 to 64 small letters, digits, dots, hyphens or underscores, beginning with a letter or digit."
    return None


def _password_problem(username: str, password: str) -> str | None:
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest:
        return f"{shortest} to {longest} characters."
    if len(set(password)) < DIFFERENT_CHARACTERS:
        return f"Use at least {DIFFERENT_CHARACTERS} different characters."
    if username and username in password.lower():
        return "Must not contain the user name."
    return None


def _number_problem(kind: ReporterKind, number: str, today: date) -> str | None:
    return _nip_problem(number, today) if kind == ReporterKind.CIVIL_SERVANT else _nik_problem(number, today)


def _nik_problem(nik: str, today: date) -> str | None:
    """NIK: 6 digits of region, date of birth as DDMMYY (DD + 40 for women), 4 digits of serial number."""
    if not re.fullmatch(r"[0-9]{16}", nik):
        return _length_problem("NIK", 16, nik)
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    if int(nik[:2]) < 11:
        return "This is no NIK: digits 1 and 2, the province, are 11 or more. Check each digit."
    if not (1 <= day <= 31 or 41 <= day <= 71):
        return "This is no NIK: digits 7 and 8, the day of birth, are 01 to 31, or 41 to 71 for women."
    if not 1 <= month <= 12:
        return "This is no NIK: digits 9 and 10, the month of birth, are 01 to 12."
    # Two digits of year leave the century open; either may make the date exist.
    if not any(_is_past(century + year, month, day % 40, today) for century in (1900, 2000)):
        return "This is no NIK: the date of birth in digits 7 to 12 does not exist. Check each digit."
    if nik[12:] == "0000":
        return "This is no NIK: digits 13 to 16, the serial number, are never 0000."
    return None


def _nip_problem(nip: str, today: date) -> str | None:
    """NIP: date of birth YYYYMMDD, month of appointment YYYYMM, 1 or 2 for the sex, 3 digits of serial number.

    Of staff on a work agreement (PPPK) it is the year of appointment and the number of the agreement, counted from 21;
    of part-time staff (PPPK paruh waktu) from 24.
    """
    if not re.fullmatch(r"[0-9]{18}", nip):
        return _length_problem("NIP", 18, nip)
    if not _is_past(int(nip[:4]), int(nip[4:6]), int(nip[6:8]), today):
        return "This is no NIP: the date of birth in digits 1 to 8 (year, month, day) does not exist. Check each digit."
    month = 1 if int(nip[12:14]) >= FIRST_AGREEMENT else int(nip[12:14])
    if not _is_past(int(nip[8:12]), month, 1, today) or int(nip[8:12]) - int(nip[:4]) < 15:
        return "This is no NIP: the appointment in digits 9 to 14 (year, month) cannot be. Check each digit."
    if nip[14] not in "12":
        return "This is no NIP: digit 15 is 1 for men or 2 for women."
    if nip[15:] == "000":
        return "This is no NIP: digits 16 to 18, the serial number, are never 000."
    return None


def _length_problem(kind: str, digits: int, number: str) -> str:
    if number.isascii() and number.isdecimal():
        return f"A {kind} has {digits} digits; this has {len(number)}."
    return f"A {kind} has {digits} digits and no other signs."


def _is_past(year: int, month: int, day: int, today: date) -> bool:
    try:
        return date(1900, 1, 1) <= date(year, month, day) <= today
    except ValueError:
        return False
