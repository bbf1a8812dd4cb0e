"""Validation of registrations: the identity number (NIK or NIP), the user name and the password. Pure functions."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from nkk.sop import faults
from nkk.sop.faults import Fault
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import ReporterKind

PASSWORD_LENGTH = (10, 128)
DIFFERENT_CHARACTERS = 5
FIRST_AGREEMENT = 21
"""Digits 13 and 14 of the NIP of staff on a first work agreement; for others they are a month, at most 12."""

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")


NIPS = ("nip", "accused_nip")
"""The optional fields with a civil servant's NIP: of a staff account, and of the person whom a report is about."""


def problems(form: Mapping[str, Any], today: date) -> dict[str, Fault]:
    """Return the fault of each invalid field of a registration, and of each invalid NIP in `form`.

    Fields that are missing are not checked.

    All faults are found at once, so that a person need not correct them one by one.
    """
    found: dict[str, Fault | None] = {name: _nip_problem(form[name], today) for name in NIPS if form.get(name)}
    if "kind" in form and "identity_number" in form:
        found["identity_number"] = _number_problem(ReporterKind(form["kind"]), form["identity_number"], today)
    if "username" in form:
        found["username"] = _username_problem(form["username"])
    if "password" in form:
        found["password"] = _password_problem(form.get("username", ""), form["password"])
    return {field: problem for field, problem in found.items() if problem}


def check_registration(form: Mapping[str, str], today: date) -> None:
    """Raise InvalidInput, naming every invalid field of a registration, where there is any."""
    _raise(problems(form, today))


def check_credentials(username: str, password: str) -> None:
    """Raise InvalidInput where the user name or password of a new account is invalid."""
    _raise(problems({"username": username, "password": password}, date.min))


def check_username(username: str, field: str = "username") -> None:
    """Raise InvalidInput, naming `field`, where `username` cannot be a user name."""
    problem = _username_problem(username)
    _raise({field: problem} if problem else {})


def check_password(username: str, password: str, field: str = "password") -> None:
    """Raise InvalidInput, naming `field`, where the new password of the account `username` is invalid."""
    problem = _password_problem(username, password)
    _raise({field: problem} if problem else {})


def check_nip(nip: str | None, today: date, field: str = "nip") -> None:
    """Raise InvalidInput, naming `field`, where `nip` is given and cannot be a NIP."""
    problem = _nip_problem(nip, today) if nip else None
    _raise({field: problem} if problem else {})


def check_identity_number(kind: ReporterKind, number: str, today: date) -> None:
    """Raise InvalidInput where `number` cannot be a NIK (member of the public) or a NIP (civil servant)."""
    problem = _number_problem(kind, number, today)
    _raise({"identity_number": problem} if problem else {})


def _raise(wrong: Mapping[str, Fault]) -> None:
    if wrong:
        raise InvalidInput.of(**wrong)


def _username_problem(username: str) -> Fault | None:
    if not USERNAME.fullmatch(username):
        return faults.NO_USERNAME()
    return None


def _password_problem(username: str, password: str) -> Fault | None:
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest:
        return faults.PASSWORD_LENGTH(least=shortest, most=longest)
    if len(set(password)) < DIFFERENT_CHARACTERS:
        return faults.PASSWORD_TOO_PLAIN(least=DIFFERENT_CHARACTERS)
    if username and username in password.lower():
        return faults.PASSWORD_HAS_USERNAME()
    return None


def _number_problem(kind: ReporterKind, number: str, today: date) -> Fault | None:
    return _nip_problem(number, today) if kind == ReporterKind.CIVIL_SERVANT else _nik_problem(number, today)


def _nik_problem(nik: str, today: date) -> Fault | None:
    """Return the fault of a NIK: 6 digits of region, birth date DDMMYY (DD + 40 for women), 4 digits of serial."""
    if not re.fullmatch(r"[0-9]{16}", nik):
        return _length_problem("NIK", 16, nik)
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    if int(nik[:2]) < 11:
        return faults.NIK_PROVINCE()
    if not (1 <= day <= 31 or 41 <= day <= 71):
        return faults.NIK_DAY()
    if not 1 <= month <= 12:
        return faults.NIK_MONTH()
    # The century is not known: the date is valid where it exists in either.
    if not any(_is_past(century + year, month, day % 40, today) for century in (1900, 2000)):
        return faults.NIK_DATE()
    if nik[12:] == "0000":
        return faults.NIK_SERIAL()
    return None


def _nip_problem(nip: str, today: date) -> Fault | None:
    """Return the fault of a NIP: birth date YYYYMMDD, appointment YYYYMM, 1 or 2 for the sex, 3 digits of serial.

    For staff on a work agreement (PPPK), the month is replaced by the number of the agreement, counted from 21, or from
    24 for part-time staff (PPPK paruh waktu).
    """
    if not re.fullmatch(r"[0-9]{18}", nip):
        return _length_problem("NIP", 18, nip)
    if not _is_past(int(nip[:4]), int(nip[4:6]), int(nip[6:8]), today):
        return faults.NIP_BIRTH()
    month = 1 if int(nip[12:14]) >= FIRST_AGREEMENT else int(nip[12:14])
    if not _is_past(int(nip[8:12]), month, 1, today) or int(nip[8:12]) - int(nip[:4]) < 15:
        return faults.NIP_APPOINTMENT()
    if nip[14] not in "12":
        return faults.NIP_SEX()
    if nip[15:] == "000":
        return faults.NIP_SERIAL()
    return None


def _length_problem(kind: str, digits: int, number: str) -> Fault:
    if number.isascii() and number.isdecimal():
        return faults.NUMBER_LENGTH(kind=kind, digits=digits, given=len(number))
    return faults.NUMBER_NOT_DIGITS(kind=kind, digits=digits)


def _is_past(year: int, month: int, day: int, today: date) -> bool:
    try:
        return date(1900, 1, 1) <= date(year, month, day) <= today
    except ValueError:
        return False
