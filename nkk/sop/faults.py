"""The faults of a field: stable codes with parameters, for which the API and the site each have their sentences.

A fault is sent as `{"code": "too-long", "most": 200}`. It never carries a person's own words.
"""

from dataclasses import dataclass
from typing import Any

Fault = dict[str, Any]

CODES: dict[str, tuple[str, ...]] = {}
"""Every code, with the names of its parameters."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault; call it with its parameters to make a fault."""

    code: str

    def __call__(self, **parameters: Any) -> Fault:
        if sorted(parameters) != sorted(CODES[self.code]):
            raise TypeError(f"{self.code} comes with {CODES[self.code]}, not {tuple(parameters)}")
        return {"code": self.code, **parameters}


def _kind(code: str, *parameters: str) -> Kind:
    CODES[code] = parameters
    return Kind(code)


MISSING = _kind("missing")
NULL = _kind("null")
EMPTY = _kind("empty")
NOTHING_ADDED = _kind("nothing-added")
UNKNOWN_FIELD = _kind("unknown-field")
TWICE = _kind("sent-twice")
INVALID = _kind("invalid")
NOT_A_STRING = _kind("not-a-string")
NOT_A_BOOLEAN = _kind("not-a-boolean")
NOT_A = _kind("not-a", "wanted")
NOT_AN_OBJECT = _kind("not-an-object")
NOT_NESTED = _kind("not-nested")
NO_MATCH = _kind("no-match")
NOT_ONE_OF = _kind("not-one-of", "choices")
NONE_LEFT = _kind("none-left")
TOO_MANY = _kind("too-many", "most")
WRONG_LENGTH = _kind("wrong-length", "least", "most")
TOO_LONG = _kind("too-long", "most")
OUT_OF_RANGE = _kind("out-of-range", "least", "most")

HALF_EMOJI = _kind("half-emoji")
NO_TEXT = _kind("no-text")
SAME_NAME = _kind("same-name", "one", "other")
NO_KEY = _kind("no-key")
NO_UPLOAD = _kind("no-upload")
NO_TICKET = _kind("no-ticket")
NO_CURSOR = _kind("no-cursor")
NO_IDEMPOTENCY_KEY = _kind("no-idempotency-key")
NO_MONTH = _kind("no-month")
MONTH_TO_COME = _kind("month-to-come")
WRONG_YEARS = _kind("wrong-years", "least", "most")

NO_ADDRESS = _kind("no-address")
ONE_ADDRESS = _kind("one-address")
HIDDEN_SIGN = _kind("hidden-sign")
ADDRESS_NOT_PLAIN = _kind("address-not-plain")
NO_DOMAIN = _kind("no-domain")
SUPERIOR_ALONE = _kind("superior-alone")

PHONE_EMPTY = _kind("phone-empty")
PHONE_WITH_WORDS = _kind("phone-with-words")
SEVERAL_PHONES = _kind("several-phones")
PHONE_TOO_SHORT = _kind("phone-too-short", "least")
PHONE_TOO_LONG = _kind("phone-too-long", "most")
NO_PHONE = _kind("no-phone")

NO_USERNAME = _kind("no-username")
USERNAME_TAKEN = _kind("username-taken")
EITHER_NAME_OR_ADDRESS = _kind("either-name-or-address")
PASSWORD_LENGTH = _kind("password-length", "least", "most")
PASSWORD_TOO_PLAIN = _kind("password-too-plain", "least")
PASSWORD_HAS_USERNAME = _kind("password-has-username")
WRONG_PASSWORD = _kind("wrong-password")
SLOWED_DOWN = _kind("slowed-down", "at")
CODE_EXPIRED = _kind("code-expired")
ACCESS_CODE_REFUSED = _kind("access-code-refused")

NUMBER_LENGTH = _kind("number-length", "kind", "digits", "given")
NUMBER_NOT_DIGITS = _kind("number-not-digits", "kind", "digits")
NIK_PROVINCE = _kind("nik-province")
NIK_DAY = _kind("nik-day")
NIK_MONTH = _kind("nik-month")
NIK_DATE = _kind("nik-date")
NIK_SERIAL = _kind("nik-serial")
NIP_BIRTH = _kind("nip-birth")
NIP_APPOINTMENT = _kind("nip-appointment")
NIP_SEX = _kind("nip-sex")
NIP_SERIAL = _kind("nip-serial")

NO_SUCH_CATEGORY = _kind("no-such-category")
NO_SUCH_SUB_CATEGORY = _kind("no-such-sub-category")
NO_SUCH_OPD = _kind("no-such-opd")
NO_SUCH_CASE = _kind("no-such-case")
NO_SUCH_COLLEAGUE = _kind("no-such-colleague")
OPD_OF_INFORMATION = _kind("opd-of-information")
CONFLICT_WITHOUT_REASON = _kind("conflict-without-reason")
RETURN_WITHOUT_NOTE = _kind("return-without-note")
REFUSAL_WITHOUT_NOTE = _kind("refusal-without-note")
TEAM_WITHOUT_OPD = _kind("team-without-opd")
OPD_WITHOUT_TEAM = _kind("opd-without-team")
NOT_ON_ROSTER = _kind("not-on-roster", "opds")
HALF_A_ROW = _kind("half-a-row")
KEY_TWICE = _kind("key-twice")

NO_CALENDAR = _kind("no-calendar")
CALENDAR_LACKS = _kind("calendar-lacks")
NOT_OF_A_CALENDAR = _kind("not-of-a-calendar")
FEW_HOURS = _kind("few-hours", "hours", "least")
NO_WEEK = _kind("no-week")
NO_SPANS = _kind("no-spans")
NO_SPAN = _kind("no-span")
NO_TIME = _kind("no-time")
NO_HOURS = _kind("no-hours")
SPANS_OVERLAP = _kind("spans-overlap")
SPAN_BACKWARDS = _kind("span-backwards")
MANY_SEASONS = _kind("many-seasons", "most")
NO_SEASON = _kind("no-season")
SEASONS_OVERLAP = _kind("seasons-overlap")
SEASON_LENGTH = _kind("season-length", "most")
MANY_DAYS = _kind("many-days", "most")
NO_DAY = _kind("no-day")
NO_DATE = _kind("no-date", "first", "last")
NAME_LENGTH = _kind("name-length", "most")
NO_YEARS = _kind("no-years")
KEPT_BY_SYSTEM = _kind("kept-by-system")
JOINT_LEAVE_YEARS = _kind("joint-leave-years")
NO_DAY_CHOSEN = _kind("no-day-chosen")
