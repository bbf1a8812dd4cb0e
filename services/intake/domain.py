"""Steps 1 and 2 of the procedure: accounts, the report as it was written, its hand-over."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from nkk.sop import steps
from nkk.sop.claims import Claimable
from nkk.sop.clock import WIB, Calendar, write_instant
from nkk.sop.journey import service_due
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotAuthenticated, Refused
from nkk.sop.steps import ReporterKind, Role, Step
from nkk.sop.ticket import new_ticket
from nkk.sop.timed import started

SESSION_LIFETIME = timedelta(hours=12)

PASSWORD_LENGTH = (10, 128)
DIFFERENT_CHARACTERS = 5
FIRST_AGREEMENT = 21
"""Digits 13 and 14 of the NIP of staff on their first work agreement; a month is at most 12."""

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")

CLAIMED_KINDS = ("complaint", "information", "aspiration")
"""What a reporter may say their report is (pengaduan, informasi, aspirasi); only Tim Utama's classification counts."""


class AlreadyHandedOver(AlreadyDone):
    """Step 2 was done before."""


class UsernameTaken(Refused):
    """Somebody has this user name."""


class IdempotencyKeyReused(Refused):
    """The same Idempotency-Key came with another report."""


class UnknownAccount(Refused):
    """There is no staff account of this name."""


class IdentityWithheld(Refused):
    """The reporter asked for confidentiality: nobody is shown who they are."""


class LastAdmin(Refused):
    """Without this account nobody could administer any more."""


class WrongPassword(Refused):
    """Who is logged in gave a password that is not theirs; it counts as an attempt to log in."""


@dataclass
class Account:
    """Somebody who can log in. `group` is the OPD of an OPD team; `username` is kept in the clear for staff alone."""

    id: str
    login_index: str
    password_hash: str
    role: str
    group: str | None = None
    username: str | None = None
    name: str | None = None
    disabled_at: datetime | None = None
    created_at: datetime | None = None

    def is_open_by(self, known: "Account") -> bool:
        """Whether the password that fitted the account as it was `known` logs in: it is still its own, and nobody has
        disabled it."""
        return self.disabled_at is None and self.password_hash == known.password_hash

    def disable(self, now: datetime, open_admins: int) -> None:
        """Bar the account; its sessions end with it. `open_admins` counts the admins' accounts that are not disabled.

        Raises LastAdmin where it is the only one.
        """
        if self.disabled_at is None and self.role == Role.ADMIN and open_admins < 2:
            raise LastAdmin("This is the last admin's account that is open; nothing changed. Add another admin first, "
                            "then disable this one.")
        self.disabled_at = self.disabled_at or now

    def reset(self, password_hash: str) -> None:
        """Give the account a new password, and open it where it was disabled."""
        self.password_hash = password_hash
        self.disabled_at = None


def wrong_credentials() -> NotAuthenticated:
    """One refusal for an unknown account, a wrong password and a disabled account."""
    return NotAuthenticated("User name or password is wrong, or the account is closed. Check both; after too many "
                            "wrong ones you are asked to wait.")


def identity_withheld() -> IdentityWithheld:
    """The refusal to show who reported."""
    return IdentityWithheld("The reporter asked for confidentiality: who they are is shown to nobody.")


def wrong_password() -> WrongPassword:
    """The password that is asked for again is not that of whoever is logged in."""
    return WrongPassword("Nothing was changed: the current password is wrong. Check it; after too many wrong ones you "
                         "are asked to wait.", {"fields": {"password": ["Wrong."]}})


def check_credentials(username: str, password: str) -> None:
    """Raise InvalidInput where the user name or password of a new account will not do."""
    wrong = {}
    if not USERNAME.fullmatch(username):
        wrong["username"] = "3 to 64 small letters, digits, dots, hyphens or underscores, beginning with a letter or " \
                            "digit."
    problem = _password_problem(username, password)
    if problem:
        wrong["password"] = problem
    if wrong:
        raise InvalidInput.of(**wrong)


def check_password(username: str, password: str, field: str = "password") -> None:
    """Raise InvalidInput, at fault being `field`, where the new password of the account `username` will not do."""
    problem = _password_problem(username, password)
    if problem:
        raise InvalidInput.of(**{field: problem})


def _password_problem(username: str, password: str) -> str | None:
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest:
        return f"{shortest} to {longest} characters."
    if len(set(password)) < DIFFERENT_CHARACTERS:
        return f"Use at least {DIFFERENT_CHARACTERS} different characters."
    if username and username in password.lower():
        return "Must not contain the user name."
    return None


def check_staff(role: str, group: str | None, opds: dict[str, str]) -> None:
    """Raise InvalidInput where no such staff account can be: an OPD team belongs to exactly one OPD, others to none."""
    if role not in steps.STAFF_ROLES:
        raise InvalidInput.of(role=f"One of {', '.join(steps.STAFF_ROLES)}.")
    if role == Role.OPD_TEAM and group not in opds:
        raise InvalidInput.of(opd="An OPD team belongs to one OPD of the roster.")
    if role != Role.OPD_TEAM and group is not None:
        raise InvalidInput.of(opd="Only an OPD team belongs to an OPD.")


def check_registration(form: Mapping[str, str], today: date) -> None:
    """Raise InvalidInput, naming everything of a Registration that will not do: nobody is to find out one by one."""
    wrong: dict[str, list[str]] = {}
    for check in (lambda: check_identity_number(ReporterKind(form["kind"]), form["identity_number"], today),
                  lambda: check_credentials(form["username"], form["password"])):
        try:
            check()
        except InvalidInput as fault:
            wrong |= fault.details["fields"]
    if wrong:
        raise InvalidInput("Some fields need correcting.", {"fields": wrong})


def check_identity_number(kind: ReporterKind, number: str, today: date) -> None:
    """Raise InvalidInput where `number` cannot be a NIK (member of the public) or a NIP (civil servant)."""
    problem = _nip_problem(number, today) if kind == ReporterKind.CIVIL_SERVANT else _nik_problem(number, today)
    if problem:
        raise InvalidInput.of(identity_number=problem)


def _nik_problem(nik: str, today: date) -> str | None:
    """NIK: 6 digits of region, date of birth as DDMMYY (DD + 40 for women), 4 digits of serial number."""
    if not re.fullmatch(r"[0-9]{16}", nik):
        return "A NIK has 16 digits."
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    day -= 40 if day > 40 else 0
    if not 11 <= int(nik[:2]) <= 99 or nik[12:] == "0000":
        return "This is no NIK: its region or serial number cannot be. Check each digit."
    # Two digits of year leave the century open; either may make the date exist.
    if not any(_is_past(century + year, month, day, today) for century in (1900, 2000)):
        return "This is no NIK: the date of birth in digits 7 to 12 does not exist. Check each digit."
    return None


def _nip_problem(nip: str, today: date) -> str | None:
    """NIP: date of birth YYYYMMDD, month of appointment YYYYMM, 1 or 2 for the sex, 3 digits of serial number.

    Of staff on a work agreement (PPPK) it is the year of appointment and the number of the agreement, counted from 21;
    of part-time staff (PPPK paruh waktu) from 24.
    """
    if not re.fullmatch(r"[0-9]{18}", nip):
        return "A NIP has 18 digits."
    if not _is_past(int(nip[:4]), int(nip[4:6]), int(nip[6:8]), today):
        return "This is no NIP: the date of birth in digits 1 to 8 does not exist. Check each digit."
    month = 1 if int(nip[12:14]) >= FIRST_AGREEMENT else int(nip[12:14])
    if not _is_past(int(nip[8:12]), month, 1, today) or int(nip[8:12]) - int(nip[:4]) < 15:
        return "This is no NIP: the appointment in digits 9 to 14 cannot be. Check each digit."
    if nip[14] not in "12" or nip[15:] == "000":
        return "This is no NIP: digits 15 to 18 cannot be. Check each digit."
    return None


def _is_past(year: int, month: int, day: int, today: date) -> bool:
    try:
        return date(1900, 1, 1) <= date(year, month, day) <= today
    except ValueError:
        return False


@dataclass
class Complaint(Claimable):
    """A report as it was written (Form Pengaduan), and where it stands within steps 1 and 2."""

    reporter_id: str
    reporter_kind: str
    claimed_kind: str
    category: str
    sub_category: str
    subject_line: str
    text: str
    place: str | None
    happened_on: str | None
    accused_name: str | None
    accused_position: str | None
    accused_opd: str | None
    confidential: bool
    service_due_at: datetime
    handed_over_by: str | None = None

    @classmethod
    def submit(cls, form: dict, reporter_id: str, reporter_kind: str, now: datetime, calendar: Calendar) -> "Complaint":
        """Step 1: the form was entered at `now`. Starts the clock of step 2 and of the whole service."""
        return cls(
            ticket=new_ticket(now.astimezone(WIB).year),
            reporter_id=reporter_id,
            reporter_kind=reporter_kind,
            service_due_at=service_due(now, calendar),
            **started(steps.HAND_OVER, now, calendar),
            **form,
        )

    @property
    def step(self) -> Step:
        return steps.HAND_OVER

    @property
    def submitted_at(self) -> datetime:
        """When step 1 ended, which is when step 2's clock started."""
        return self.came_at

    @property
    def service_calendar(self) -> int:
        """The version by which the whole service is due: that of step 2's clock, which starts with it."""
        return self.calendar

    @property
    def handed_over_at(self) -> datetime | None:
        """When step 2 was done."""
        return self.done_at

    def must_stand_here(self) -> None:
        """Raises AlreadyHandedOver."""
        if self.handed_over_at is not None:
            raise AlreadyHandedOver("This report was handed over before; nothing changed. Reload your list.",
                                    {"stands": self.stands()})

    def hand_over(self, by: str, now: datetime) -> None:
        """Step 2: the operator hands the report to Tim Utama. Raises AlreadyHandedOver."""
        self.must_stand_here()
        self.stop_clock(now)
        self.handed_over_by = by

    def stands(self) -> dict[str, str]:
        """Where the report stands in this stage, and since when."""
        if self.handed_over_at is None:
            return {"state": "awaiting_hand_over", "since": write_instant(self.submitted_at)}
        return {"state": "handed_over", "since": write_instant(self.handed_over_at)}


def check_against_catalogue(form: dict, categories: dict[str, dict], opds: dict[str, str]) -> None:
    """Raise InvalidInput where the form names a category, sub-category or agency that is not on the lists."""
    wrong = {}
    category = categories.get(form["category"])
    if category is None:
        wrong["category"] = "Choose a category of the catalogue (GET /categories)."
    elif form["sub_category"] not in category["sub_categories"]:
        wrong["sub_category"] = "Choose a sub-category of this category (GET /categories)."
    if form["accused_opd"] is not None and form["accused_opd"] not in opds:
        wrong["accused_opd"] = "Choose an agency of the roster (GET /opds)."
    if wrong:
        raise InvalidInput.of(**wrong)
