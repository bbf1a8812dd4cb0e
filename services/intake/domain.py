"""Steps 1 and 2 of the procedure: accounts, the report as submitted, and its hand-over."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nkk.sop import faults, steps
from nkk.sop.acts import Act, possible
from nkk.sop.additions import MOST_ADDITIONS, AddedTooOften, Addition
from nkk.sop.clock import WIB, Calendar, day_of, write_day, write_instant
from nkk.sop.endings import ABANDONED, WITHDRAWN
from nkk.sop.files import MOST_OF_A_REPORT, OwnFile, ReportFull, numbered
from nkk.sop.journey import service_due
from nkk.sop.questions import Askable
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotAuthenticated, NotYourStep, Refused
from nkk.sop.report import Report
from nkk.sop.steps import Channel, Role, Stands, Step
from nkk.sop.ticket import new_ticket
from nkk.sop.timed import started

SESSION_LIFETIME = timedelta(hours=12)

SENT_AGAIN_WITHIN = timedelta(minutes=10)
"""How long a repeated registration has the same answer. It is limited, since repeats could be used to try passwords."""

CLAIMED_KINDS = ("complaint", "information", "aspiration")
"""The kinds that a reporter may choose (pengaduan, informasi, aspirasi); Tim Utama's classification is what counts."""


class AlreadyHandedOver(AlreadyDone):
    """Step 2 has already been done."""


class UsernameTaken(Refused):
    """The user name is taken."""


class IdempotencyKeyReused(Refused):
    """The Idempotency-Key was used before, with a different report."""


class UnknownAccount(Refused):
    """There is no staff account with this user name."""


class UnknownWebsite(Refused):
    """There is no website with this name."""


class SupplementTooLate(Refused):
    """Ten working days have passed since the complaint was closed; it takes no more files."""


class AlreadyWithdrawn(AlreadyDone):
    """The reporter has already withdrawn the report."""


class AlreadyClosed(NotYourStep):
    """The complaint is closed, so that it cannot be withdrawn any more."""


class IdentityWithheld(Refused):
    """The reporter asked for confidentiality, so that their identity is not shown to anybody."""


class LastAdmin(Refused):
    """The account is the last admin account that is not disabled."""


class WrongPassword(Refused):
    """A caller who is logged in gave a wrong password. It counts as a failed attempt."""


@dataclass
class Account:
    """An account that can log in. `group` is an OPD team's OPD; `username` is not stored in the clear for reporters.

    `barred` is the keyed hash of the NIP of a staff account's person, where an admin entered it.
    """

    id: str
    login_index: str
    password_hash: str
    role: str
    group: str | None = None
    username: str | None = None
    name: str | None = None
    disabled_at: datetime | None = None
    created_at: datetime | None = None
    barred: str | None = None

    @classmethod
    def without_log_in(cls, account_id: str, now: datetime) -> "Account":
        """Return a reporter's account without a user name and a password, which nobody can log in to or reset."""
        return cls(account_id, no_index(account_id), "", Role.REPORTER, created_at=now)

    @property
    def is_without_log_in(self) -> bool:
        """Whether nobody can log in to the account yet."""
        return self.login_index == no_index(self.id)

    def is_open_by(self, known: "Account") -> bool:
        """Return whether a password that matched the account's earlier state `known` still opens it.

        Returns False where the account is disabled. Raises HashReplaced where the hash has changed since it was
        compared, although the password may be the same.
        """
        if self.disabled_at is not None:
            return False
        if self.password_hash != known.password_hash:
            raise HashReplaced
        return True

    def disable(self, now: datetime, open_admins: int) -> None:
        """Disable the account, which invalidates its sessions. `open_admins` is the number of enabled admin accounts.

        Raises LastAdmin where this is the only one.
        """
        if self.disabled_at is None and self.role == Role.ADMIN and open_admins < 2:
            raise LastAdmin
        self.disabled_at = self.disabled_at or now

    def remove(self, login_index: str, now: datetime) -> None:
        """Remove a website: its account stays, disabled and under a hash of no user name, so that its name is free."""
        self.login_index, self.username, self.disabled_at = login_index, None, now

    def reset(self, password_hash: str) -> None:
        """Set a new password, and enable the account where it was disabled."""
        self.password_hash = password_hash
        self.disabled_at = None


class HashReplaced(Exception):
    """The hash that a password was compared with has been replaced meanwhile."""


def is_new(account: Account, now: datetime) -> bool:
    """Return whether the account was registered within SENT_AGAIN_WITHIN."""
    return account.created_at is not None and now < account.created_at + SENT_AGAIN_WITHIN


def no_index(account_id: str) -> str:
    """Return what stands in place of an account's hash of a user name or an address: no hash is written so."""
    return f"none:{account_id}"


def wrong_credentials() -> NotAuthenticated:
    """Return the refusal of a log-in, the same for unknown accounts, wrong passwords and disabled accounts."""
    return NotAuthenticated(code="wrong-credentials")


def identity_withheld() -> IdentityWithheld:
    """Return the refusal to show a reporter's identity."""
    return IdentityWithheld()


def wrong_password() -> WrongPassword:
    """Return the refusal of a wrong password from a caller who is logged in."""
    return WrongPassword({"fields": {"password": [faults.WRONG_PASSWORD()]}})


def check_staff(role: str, group: str | None, opds: dict[str, str]) -> None:
    """Raise InvalidInput where `role` is no staff role, an OPD team has no OPD of `opds`, or another role has one."""
    if role not in steps.STAFF_ROLES:
        raise InvalidInput.of(role=faults.NOT_ONE_OF(choices=list(steps.STAFF_ROLES)))
    if role == Role.OPD_TEAM and group not in opds:
        raise InvalidInput.of(opd=faults.TEAM_WITHOUT_OPD())
    if role != Role.OPD_TEAM and group is not None:
        raise InvalidInput.of(opd=faults.OPD_WITHOUT_TEAM())


@dataclass
class Complaint(Report, Askable):
    """A report as submitted (Form Pengaduan), and its state within steps 1 and 2.

    `channel` says how it came. `cycle` is 2 after an objection; `kept` says that it goes on
    although its reporter withdrew it. `conflict` says that, as the reporter knows, the accused leads or sits in the
    team that handles complaints at their agency; `barred` is the keyed hash of the accused's NIP. `ended_forwarding` is
    the number of the classification at which a desk closed the report, and `recalled` that of the last one at which no
    closing counts any more: Tim Utama took the complaint back, let it go on without its reporter, or it was answered.
    """

    reporter_id: str
    reporter_kind: str
    claimed_kind: str
    confidential: bool
    service_due_at: datetime
    handed_over_by: str | None = None
    closed_at: datetime | None = None
    files: tuple[OwnFile, ...] = ()
    additions: tuple[Addition, ...] = ()
    cycle: int = 1
    channel: str = Channel.WEB
    conflict: bool = False
    barred: str | None = None
    ended_forwarding: int = 0
    recalled: int = 0

    @classmethod
    def submit(
        cls,
        form: dict,
        reporter_id: str,
        reporter_kind: str,
        now: datetime,
        calendar: Calendar,
        channel: str = Channel.WEB,
    ) -> "Complaint":
        """Return the report submitted at `now` (step 1), with the clocks of step 2 and of the whole service started."""
        return cls(
            ticket=new_ticket(now.astimezone(WIB).year),
            reporter_id=reporter_id,
            reporter_kind=reporter_kind,
            channel=str(channel),
            service_due_at=service_due(now, calendar),
            **started(steps.HAND_OVER, now, calendar),
            **form | {"files": own_files(numbered(form.get("files", ())), now)},
        )

    @property
    def step(self) -> Step:
        return steps.HAND_OVER

    @property
    def submitted_at(self) -> datetime:
        """The instant at which step 1 ended and step 2's clock started."""
        return self.came_at

    @property
    def service_calendar(self) -> int:
        """The calendar version of the whole service's due time: that of step 2's clock, which starts with it."""
        return self.calendar

    @property
    def handed_over_at(self) -> datetime | None:
        """The instant at which step 2 was done; None before."""
        return self.done_at if self.handed_over_by is not None else None

    def not_added(
        self, text: str | None, uploads: Sequence[dict[str, Any]], now: datetime
    ) -> tuple[str | None, Sequence[dict[str, Any]]]:
        """Return what of an addition is not there yet: of one that is sent again, nothing.

        The same words on another day are an addition of their own.
        """
        today = write_day(now)
        if any(each.text == text and each.day == today for each in self.additions):
            text = None
        known = {file.id for file in self.files}
        return text, [] if known.issuperset(each["id"] for each in uploads) else uploads

    def supplement(
        self, text: str | None, uploads: Iterable[dict[str, Any]], now: datetime, calendar: Calendar
    ) -> tuple[tuple[OwnFile, ...], Addition]:
        """Add words, files or both; return the files and the addition.

        Raises SupplementTooLate, ReportFull or AddedTooOften.
        """
        self.must_go_on()
        if self.closed_at is not None and now > calendar.due(self.closed_at, steps.SUPPLEMENTED_WITHIN_MINUTES):
            raise SupplementTooLate({"stands": self.stands()})
        added = own_files(numbered(uploads, len(self.files)), now)
        if len(self.files) + len(added) > MOST_OF_A_REPORT:
            raise ReportFull({"most": MOST_OF_A_REPORT})
        if len(self.additions) >= MOST_ADDITIONS:
            raise AddedTooOften({"most": MOST_ADDITIONS})
        addition = Addition(
            number=len(self.additions) + 1,
            day=write_day(now),
            text=text,
            files=tuple(file.number for file in added),
        )
        self.files, self.additions = self.files + added, (*self.additions, addition)
        return added, addition

    def withdraw(self, reason: str, now: datetime) -> None:
        """Withdraw the report. Whether that came before the answer, notification decides.

        Raises AlreadyWithdrawn, AlreadyClosed where the answer was received, or Abandoned.
        """
        if self.ended == ABANDONED:
            self.must_go_on()
        if self.ended is not None or self.kept:
            raise AlreadyWithdrawn({"stands": self.stands()})
        if self.closed_at is not None:
            raise AlreadyClosed({"stands": self.stands()})
        self.end(WITHDRAWN, day_of(now), reason)

    def keep(self, forwarding: int) -> None:
        """Note that Tim Utama lets the report go on without its reporter, under the number `forwarding`.

        A desk's closing under the number before, which the withdrawal overtook, may be on its way still.
        """
        if self.ended == WITHDRAWN:
            self.take_back_ending()
        self.kept, self.recalled = True, max(self.recalled, forwarding - 1)

    def reopen(self, cycle: int, forwarding: int) -> None:
        """Note that the reporter objected to the answer of this `forwarding`, so that the report is open again."""
        if cycle > self.cycle:
            # What a desk closed in the new cycle may be known before.
            if self.ended_forwarding <= forwarding:
                self.take_back_ending()
            self.cycle, self.kept, self.closed_at = cycle, False, None
            self.recalled = max(self.recalled, forwarding)

    def abandoned(self, forwarding: int, why: str, at: datetime) -> bool:
        """Note that a desk closed the report as not completed; return whether that ended it.

        One that was taken back from its desk, or withdrawn, goes on as that says.
        """
        if self.ended is not None or forwarding <= self.recalled:
            return False
        self.end(ABANDONED, at, why)
        self.ended_forwarding = forwarding
        return True

    def taken_back(self, forwarding: int) -> bool:
        """Note that Tim Utama took the complaint back; return whether that overtook its closing by the OPD team."""
        self.recalled = max(self.recalled, forwarding)
        if self.ended != ABANDONED or self.ended_forwarding > forwarding:
            return False
        self.take_back_ending()
        return True

    def acts(self, role: str, now: datetime, calendar: Calendar) -> list[str]:
        """Return the acts of `role` that are possible now at this desk."""
        not_now = set()
        if self.closed_at is not None:
            not_now.add(Act.WITHDRAW)
            if now > calendar.due(self.closed_at, steps.SUPPLEMENTED_WITHIN_MINUTES):
                not_now.add(Act.SUPPLEMENT)
        if self.kept:
            not_now.add(Act.WITHDRAW)
        not_now |= self.asks_not_now
        return possible("intake", role, self.stands()["state"], not_now)

    def must_stand_here(self) -> None:
        """Raise Withdrawn or AlreadyHandedOver where the report is no longer at the operator's desk."""
        self.must_go_on()
        if self.handed_over_at is not None:
            raise AlreadyHandedOver({"stands": self.stands()})

    def hand_over(self, by: str, now: datetime) -> None:
        """Hand the report over to Tim Utama, by the operator `by` (step 2). Raises AlreadyHandedOver."""
        self.must_stand_here()
        self.stop_clock(now)
        self.handed_over_by = by

    def stands(self) -> Stands:
        """Return the report's state at this stage, and since when it has been in it."""
        if ended := self.stands_ended():
            return ended
        if self.handed_over_at is None:
            return self.stood_at_first()
        return {"state": "handed_over", "since": write_instant(self.handed_over_at)}

    def files_at_first(self) -> tuple[OwnFile, ...]:
        """Return the files that came with the report."""
        first = write_instant(self.submitted_at)
        return tuple(file for file in self.files if file.added_at == first)

    def stood_at_first(self) -> Stands:
        """Return the report's state when it was submitted."""
        return {"state": "awaiting_hand_over", "since": write_instant(self.submitted_at)}


def own_files(numbered: Iterable[dict[str, Any]], now: datetime) -> tuple[OwnFile, ...]:
    """Return the files of numbered descriptors, attached at `now`."""
    return tuple(OwnFile(**each, added_at=write_instant(now)) for each in numbered)


def sent_again(form: dict[str, Any]) -> dict[str, Any]:
    """Return what of a form makes it the same when it is sent again.

    Of its files that is what came, and whether its hidden data was removed. A browser without scripts sends them anew,
    as other uploads; and the scanner may have judged them since.
    """
    files = [{name: file[name] for name in ("came_sha256", "cleaned")} for file in form.get("files", ())]
    return form | ({"files": files} if files else {})


def same_as(taken: tuple[str, str], form_hash: str, get: Callable[[str], Complaint]) -> Complaint:
    """Return the report that an idempotency key was used for: `taken` is its form's hash and its ticket.

    Raises IdempotencyKeyReused where the form is another.
    """
    known_hash, ticket = taken
    if known_hash != form_hash:
        raise IdempotencyKeyReused({"ticket": ticket})
    return get(ticket)


def next_version(version: int, now: datetime) -> int:
    """Return the version of the lists that follows `version`.

    It is never below the Unix time in seconds, so that it is the highest even after this database was restored from a
    backup.
    """
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
