"""Steps 1 and 2 of the procedure: accounts, the report as it was written, its hand-over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from nkk.sop import faults, steps
from nkk.sop.claims import Claimable
from nkk.sop.clock import WIB, Calendar, write_instant
from nkk.sop.journey import service_due
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotAuthenticated, Refused
from nkk.sop.report import Report
from nkk.sop.steps import Role, Stands, Step
from nkk.sop.ticket import new_ticket
from nkk.sop.timed import started

SESSION_LIFETIME = timedelta(hours=12)

SENT_AGAIN_WITHIN = timedelta(minutes=10)
"""So long a registration that comes again is the same one. Not for ever: that would be a way to try passwords."""

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
        """Whether the password that fitted the account as it was `known` logs in: nobody has disabled it. Raises
        HashReplaced where another hash is in the place of the one that was compared: the password may be the same."""
        if self.disabled_at is not None:
            return False
        if self.password_hash != known.password_hash:
            raise HashReplaced
        return True

    def disable(self, now: datetime, open_admins: int) -> None:
        """Bar the account; its sessions end with it. `open_admins` counts the admins' accounts that are not disabled.

        Raises LastAdmin where it is the only one.
        """
        if self.disabled_at is None and self.role == Role.ADMIN and open_admins < 2:
            raise LastAdmin
        self.disabled_at = self.disabled_at or now

    def reset(self, password_hash: str) -> None:
        """Give the account a new password, and open it where it was disabled."""
        self.password_hash = password_hash
        self.disabled_at = None


class HashReplaced(Exception):
    """A password was compared with a hash that is its account's no more."""


def is_new(account: Account, now: datetime) -> bool:
    """Whether the account was registered a moment ago."""
    return account.created_at is not None and now < account.created_at + SENT_AGAIN_WITHIN


def wrong_credentials() -> NotAuthenticated:
    """One refusal for an unknown account, a wrong password and a disabled account."""
    return NotAuthenticated(code="wrong-credentials")


def identity_withheld() -> IdentityWithheld:
    """The refusal to show who reported."""
    return IdentityWithheld()


def wrong_password() -> WrongPassword:
    """The password that is asked for again is not that of whoever is logged in."""
    return WrongPassword({"fields": {"password": [faults.WRONG_PASSWORD()]}})


def check_staff(role: str, group: str | None, opds: dict[str, str]) -> None:
    """Raise InvalidInput where no such staff account can be: an OPD team belongs to exactly one OPD, others to none."""
    if role not in steps.STAFF_ROLES:
        raise InvalidInput.of(role=faults.NOT_ONE_OF(choices=list(steps.STAFF_ROLES)))
    if role == Role.OPD_TEAM and group not in opds:
        raise InvalidInput.of(opd=faults.TEAM_WITHOUT_OPD())
    if role != Role.OPD_TEAM and group is not None:
        raise InvalidInput.of(opd=faults.OPD_WITHOUT_TEAM())


@dataclass
class Complaint(Report, Claimable):
    """A report as it was written (Form Pengaduan), and where it stands within steps 1 and 2."""

    reporter_id: str
    reporter_kind: str
    claimed_kind: str
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
            raise AlreadyHandedOver({"stands": self.stands()})

    def hand_over(self, by: str, now: datetime) -> None:
        """Step 2: the operator hands the report to Tim Utama. Raises AlreadyHandedOver."""
        self.must_stand_here()
        self.stop_clock(now)
        self.handed_over_by = by

    def stands(self) -> Stands:
        """Where the report stands in this stage, and since when."""
        if self.handed_over_at is None:
            return {"state": "awaiting_hand_over", "since": write_instant(self.submitted_at)}
        return {"state": "handed_over", "since": write_instant(self.handed_over_at)}


def next_version(version: int, now: datetime) -> int:
    """Return the version of the lists that follows `version`: never below the seconds since 1970, so that it is the
    highest also where this database was restored to an earlier moment."""
    return max(version + 1, int(now.timestamp()))


def check_against_catalogue(form: dict, categories: dict[str, dict], opds: dict[str, str]) -> None:
    """Raise InvalidInput where the form names a category, sub-category or agency that is not on the lists."""
    wrong = {}
    category = categories.get(form["category"])
    if category is None:
        wrong["category"] = faults.NO_SUCH_CATEGORY()
    elif form["sub_category"] not in category["sub_categories"]:
        wrong["sub_category"] = faults.NO_SUCH_SUB_CATEGORY()
    if form["accused_opd"] is not None and form["accused_opd"] not in opds:
        wrong["accused_opd"] = faults.NO_SUCH_OPD()
    if wrong:
        raise InvalidInput.of(**wrong)
