"""Intake's RPC methods for the admin (staff accounts, catalogue, roster, calendar), and staff names for all staff.

None of them gives access to complaints.
"""

from contextlib import suppress
from typing import Any

from nkk.contracts import views
from nkk.contracts.events import CalendarChanged, ListsChanged
from nkk.desk import Calendars
from nkk.log import get_logger
from nkk.messaging.boxes import Call
from nkk.messaging.host import timer
from nkk.messaging.rpc import rpc
from nkk.sop import faults
from nkk.sop.clock import day_of
from nkk.sop.refusals import InvalidInput
from nkk.sop.registration import check_credentials, check_nip
from nkk.sop.steps import STAFF_ROLES, Role
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.intake import calendar, domain, schemas
from services.intake.accounts import add_account, end_slow_down, new_account
from services.intake.attempts import STAFF
from services.intake.boxes import OpensBoxes, boxed
from services.intake.calendar import CalendarChangedMeanwhile, UnknownCalendar
from services.intake.storage import IntakeWork

EXTEND_SECONDS = 3_600
PUBLISH_SECONDS = 60
LISTS = "lists"
BY_ITSELF = "nkk"
MOST_VERSIONS = 2**31 - 1
"""The largest value of the database's integer type; no calendar version can be greater."""

log = get_logger()


class AdminDesk(OpensBoxes):
    """The admin's part of intake."""

    passwords: Any
    calendars: Calendars

    # -- lists and accounts

    @rpc
    @requires(Role.ADMIN)
    def replace_lists(self, actor: Actor, catalogue: dict) -> dict[str, Any]:
        """Replace the catalogue, the roster, or both entirely, and return the resulting lists."""
        catalogue = load(schemas.Catalogue, catalogue)
        with self.uow.begin() as work:
            for name, content in catalogue.items():
                work.lists.replace(name, content, actor.id, work.now)
            _publish_lists(work)
            _check_inspectorate(catalogue, work.lists.opds())
            return {
                "categories": work.lists.categories(),
                "opds": work.lists.opds(),
                "inspectorate": work.lists.inspectorate(),
            }

    @timer(interval=PUBLISH_SECONDS, eager=True)
    def publish_lists(self) -> None:
        """Publish the roster where it differs from the last published one.

        That is so before the first publication, and after a change by an instance of an earlier version.
        """
        with self.uow.begin() as work:
            _publish_lists(work)

    @rpc
    @requires()
    def check_in(self, actor: Actor) -> None:
        """Raise NotAuthenticated where the caller's session has ended. Used for acts at stages without sessions."""
        with self.uow.reading():
            pass

    @rpc
    @requires(Role.ADMIN)
    def staff(self, actor: Actor, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        """Return a page of the staff accounts, by user name."""
        with self.uow.reading() as work:
            items, following = work.accounts.staff(cursor, limit)
            return {"items": self._seen(work, items), "next": following}

    @rpc
    @requires(Role.ADMIN)
    @boxed(schemas.StaffName)
    def staff_account(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Return one staff account. Raises UnknownAccount."""
        with self.once(call) as work:
            return self._seen(work, [self._staff_account(work, call.content["username"])])[0]

    @rpc
    @requires(*STAFF_ROLES)
    def staff_names(self, actor: Actor, ids: list[str]) -> dict[str, str | None]:
        """Return the names of the staff accounts among `ids`. Staff may see each other's names; reporters may not."""
        wanted = load(schemas.StaffIds, {"ids": ids})["ids"]
        with self.uow.reading() as work:
            return work.accounts.staff_names(wanted)

    @rpc
    @requires(Role.MAIN_TEAM)
    @boxed(schemas.StaffName)
    def colleague(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Return the account id of the member of staff at a desk who has this user name, for Tim Utama."""
        with self.once(call) as work:
            account = work.accounts.of_name(self.vault.login_index(call.content["username"])).get(STAFF)
        if account is None or account.role not in (Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM):
            raise InvalidInput.of(account=faults.NO_SUCH_COLLEAGUE())
        return {"id": account.id}

    @rpc
    @requires(Role.ADMIN)
    @boxed(schemas.NewStaff)
    def add_staff(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Add a staff account. Raises UsernameTaken."""
        form = call.content
        with self.uow.reading() as work:
            domain.check_staff(form["role"], form["opd"], work.lists.opds())
        check_nip(form["nip"], self.uow.clock().date())
        known = {"group": form["opd"], "name": form["name"], "username": form["username"]}
        account = new_account(self, form, form["role"], barred=self._barred(form["nip"]), **known)
        with self.once(call) as work:
            add_account(work, account)
        log.info("staff added", account=account.id, role=account.role, by=actor.id)
        return schemas.staff_view(account, [])

    @rpc
    @requires(Role.ADMIN)
    @boxed(schemas.StaffNip)
    def set_staff_nip(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Set the NIP of a staff account's person, and end its sessions, whose tokens do not say it, if it is another.

        At intake a report about this person is hidden from the account at once, elsewhere within a token's 15 minutes.
        """
        form = call.content
        check_nip(form["nip"], self.uow.clock().date())
        with self.once(call) as work:
            account = self._staff_account(work, form["username"], for_update=True)
            barred = self._barred(form["nip"])
            if barred != account.barred:
                account.barred = barred
                work.accounts.save(account)
                work.accounts.end_sessions(account.id, work.now)
            seen = self._seen(work, [account])[0]
        log.info("NIP of staff changed", account=account.id, by=actor.id)
        return seen

    @rpc
    @requires(Role.ADMIN)
    @boxed(schemas.StaffName)
    def disable_staff(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Disable a staff account and end its sessions: at intake at once, elsewhere within a token's 15 minutes."""
        with self.once(call) as work:
            open_admins = work.accounts.lock_open_admins()
            account = self._staff_account(work, call.content["username"], for_update=True)
            account.disable(work.now, open_admins)
            work.accounts.save(account)
            work.accounts.end_sessions(account.id, work.now)
            seen = self._seen(work, [account])[0]
        log.info("staff disabled", account=account.id, by=actor.id)
        return seen

    @rpc
    @requires(Role.ADMIN)
    @boxed(schemas.ResetStaff)
    def reset_staff(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Set a new password for a staff account, enable the account, and end its slow-down and sessions."""
        form = call.content
        check_credentials(form["username"], form["password"])
        password_hash = self.passwords.hash(form["password"])
        with self.once(call) as work:
            end_slow_down(work, self.vault, self.vault.login_index(form["username"]), STAFF)
            account = self._staff_account(work, form["username"], for_update=True)
            account.reset(password_hash)
            work.accounts.save(account)
            work.accounts.end_sessions(account.id, work.now)
        log.info("staff reset", account=account.id, by=actor.id)
        return schemas.staff_view(account, [])

    @rpc
    @requires(Role.ADMIN)
    @boxed(schemas.StaffName)
    def let_staff_in(self, actor: Actor, call: Call) -> dict[str, Any]:
        """End the slow-down at a staff account, and for an hour let strangers try without waiting."""
        username = call.content["username"]
        with self.once(call) as work:
            end_slow_down(work, self.vault, self.vault.login_index(username), STAFF)
            account = self._staff_account(work, username)
        log.info("slow-down ended", account=account.id, by=actor.id)
        return schemas.staff_view(account, [])

    @rpc
    @requires(Role.ADMIN)
    def reencrypt(self, actor: Actor, after: str = "", limit: int = 200) -> dict[str, Any]:
        """Re-encrypt the next `limit` identities after id `after` with the newest key of the ring.

        Returns their number, and the last one's id, which is None where none were left.
        """
        with self.uow.begin() as work:
            identities = work.accounts.identities(after, limit)
            for account_id, identity in identities:
                work.accounts.replace_identity(account_id, self.vault.reencrypt(identity))
        return {"count": len(identities), "last": identities[-1][0] if identities else None}

    # -- the calendar

    @rpc
    @requires(Role.ADMIN)
    def calendar(self, actor: Actor, version: int | None = None) -> dict[str, Any]:
        """Return a version of the calendar; the newest where `version` is None. Raises UnknownCalendar."""
        with self.uow.reading() as work:
            return _version(work, version if version is not None else work.calendars.newest())

    @rpc
    @requires(Role.ADMIN)
    def calendar_versions(self, actor: Actor, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        """Return a page of the calendar's versions, newest first."""
        page = load(schemas.VersionPage, {"cursor": cursor, "limit": limit})
        with self.uow.reading() as work:
            rows = work.calendars.rows(page["cursor"], page["limit"] + 1)
        shown = rows[: page["limit"]]
        return {
            "items": schemas.CalendarListed(many=True).dump(shown),
            "next": str(shown[-1].version) if len(rows) > len(shown) else None,
        }

    @rpc
    @requires(Role.ADMIN)
    def replace_calendar(self, actor: Actor, version: int, content: dict) -> dict[str, Any]:
        """Add a version of the calendar to follow `version`. Running clocks keep their own version.

        Raises CalendarChangedMeanwhile where `version` is not the newest.
        """
        content = calendar.checked(content)
        with self.uow.begin() as work:
            if work.calendars.newest() != version:
                raise _overtaken()
            standing = work.calendars.row(version)
            content = calendar.keep_years(content, standing and standing["content"])
            self._keep(work, version + 1, content, actor.id)
            return _version(work, version + 1)

    @rpc
    @requires(Role.ADMIN)
    def set_day(self, actor: Actor, day: str, own: dict | None) -> dict[str, Any]:
        """Set the hours of one date (a closure, a holiday or a working day); `own` of None makes it an ordinary day."""
        with self.uow.begin() as work:
            newest = work.calendars.newest()
            self._keep(work, newest + 1, calendar.with_day(_version(work, newest)["calendar"], day, own), actor.id)
            return _version(work, newest + 1)

    @rpc
    @requires(Role.ADMIN)
    def national_days(self, actor: Actor, year: int) -> dict[str, Any]:
        """Return a year's national holidays and joint leave as the library knows them, and which are joint leave."""
        return {"days": calendar.national_days(year), "joint_leave": list(calendar.joint_leave(year))}

    @timer(interval=EXTEND_SECONDS, eager=True)
    def extend_calendar(self) -> None:
        """Add the national days of this year to the calendar, and from October those of the next.

        Joint leave is added as soon as it is known.
        """
        # Where several instances do this at the same time, one adds the version, and the others' changes are refused.
        with suppress(CalendarChangedMeanwhile), self.uow.begin() as work:
            years = calendar.years_wanted(day_of(work.now))
            newest = work.calendars.newest()
            content = calendar.with_years(_version(work, newest)["calendar"] if newest else None, years)
            if content is not None:
                self._keep(work, newest + 1, content, BY_ITSELF)
        if unknown := self.joint_leave()["joint_leave_unknown"]:
            log.warning("joint leave not known yet", years=unknown)

    @rpc
    def joint_leave(self) -> dict[str, list[int]]:
        """Return the years in the calendar whose joint leave is not known yet, for `nkk status`."""
        with self.uow.reading() as work:
            newest = work.calendars.newest()
            content = work.calendars.row(newest)["content"] if newest else None
        return {"joint_leave_unknown": _unknown(work, content) if content else []}

    @rpc
    @requires(Role.ADMIN)
    def seats(self, actor: Actor) -> list[views.Seat]:
        """Return the open accounts of the desks, without names, for `unseen` of each stage."""
        with self.uow.reading() as work:
            found = work.accounts.seats()
        return [
            {
                "role": account.role,
                "opd": account.group,
                "known_as": [name for name in (account.id, account.barred) if name is not None],
            }
            for account in found
        ]

    def _keep(self, work: IntakeWork, version: int, content: dict[str, Any], by: str) -> None:
        if not work.calendars.keep(version, content, work.now, by):
            raise _overtaken()
        work.emit(CalendarChanged(name=calendar.NAME, version=version, content=content, by=by))
        work.afterwards(self.calendars.forget_newest)
        log.info("calendar changed", version=version, by=by)

    def _barred(self, nip: str | None) -> str | None:
        return self.vault.barred(nip) if nip else None

    def _staff_account(self, work: IntakeWork, username: str, for_update: bool = False) -> domain.Account:
        account = work.accounts.of_name(self.vault.login_index(username), for_update).get(STAFF)
        if account is None or account.role not in STAFF_ROLES:
            raise domain.UnknownAccount
        return account

    def _seen(self, work: IntakeWork, found: list[domain.Account]) -> list[dict[str, Any]]:
        """Return staff accounts as the admin sees them."""
        waiting = work.attempts.waiting([account.login_index for account in found], STAFF, work.now)
        return [schemas.staff_view(account, waiting.get(account.login_index, [])) for account in found]


def _check_inspectorate(catalogue: dict[str, Any], opds: dict[str, str]) -> None:
    """Raise InvalidInput where the inspectorate that `catalogue` names is no agency of the roster."""
    if catalogue.get("inspectorate") not in (None, *opds):
        raise InvalidInput.of(inspectorate=faults.NO_SUCH_OPD())


def _publish_lists(work: IntakeWork) -> None:
    # Locked before they are read: otherwise an older roster could be published after a newer one.
    version, published = work.lists.published(LISTS)
    opds = sorted(work.lists.opds())
    if opds != published:
        version = domain.next_version(version, work.now)
        work.lists.keep_published(LISTS, version, opds)
        work.emit(ListsChanged(name=LISTS, version=version, opds=opds))


def _version(work: IntakeWork, version: int) -> dict[str, Any]:
    row = work.calendars.row(version) if version <= MOST_VERSIONS else None
    if row is None:
        raise UnknownCalendar
    content = calendar.whole(row["content"])
    return schemas.CalendarView().dump(row | {"content": content}) | {"joint_leave_unknown": _unknown(work, content)}


def _unknown(work: IntakeWork, content: dict[str, Any]) -> list[int]:
    return calendar.joint_leave_unknown(content, day_of(work.now).year)


def _overtaken() -> CalendarChangedMeanwhile:
    return CalendarChangedMeanwhile()
