"""The seven steps of the procedure, as its own table states them (SOP, part B and the flow chart in part G)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NotRequired, TypedDict

MINUTES_PER_DAY = 450
"""Office minutes in one working day ("hari"): 7.5 hours."""

SERVICE_MINUTES = 2 * MINUTES_PER_DAY
"""Office minutes promised for the whole service, counted from step 1's submission (SOP, part E: "2 hari")."""

SUPPLEMENTED_WITHIN_MINUTES = 10 * MINUTES_PER_DAY
"""How long after it was closed a report takes files: ten working days."""

RECEIPT_LAPSES_AFTER_MINUTES = 10 * MINUTES_PER_DAY
"""Office minutes after which an unopened answer counts as received. The SOP sets no time; SP4N-LAPOR! uses 10 days."""

MOST_DAYS = 30
"""The most working days that an OPD may ask for and get for its response."""


class Role(StrEnum):
    """The roles of actors, with the SOP's Indonesian term beside each."""

    REPORTER = "reporter"  # User / Pelapor
    OPERATOR = "operator"  # Operator / Agen
    MAIN_TEAM = "main_team"  # Tim NKK Utama
    OPD_TEAM = "opd_team"  # Tim NKK Pembantu OPD
    ADMIN = "admin"  # not in the SOP: keeps accounts and catalogue, sees no complaint
    WEBSITE = "website"  # not in the SOP: the server of another website, which is no person


STAFF_ROLES = (Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM, Role.ADMIN)

PERSONS = (Role.REPORTER, *STAFF_ROLES)
"""The roles of people, who log in with a password of their own. The others are programs."""


BY_DAY = (Role.MAIN_TEAM, Role.OPD_TEAM)
"""The roles that see the times of a reporter's acts only to the day. Threat: the minute of writing, or of opening the
answer, would reveal the reporter to somebody who saw people come and go, or a colleague use a phone."""


class Stands(TypedDict):
    """The state of a complaint: at a desk with `since`, or in the procedure with the number of its `step`."""

    state: str
    step: NotRequired[int | None]
    since: NotRequired[str]


class ReporterKind(StrEnum):
    """The kind of a reporter: a civil servant (ASN, with a NIP) or a member of the public (masyarakat, with a NIK)."""

    CIVIL_SERVANT = "civil_servant"
    PUBLIC = "public"


class Channel(StrEnum):
    """The channel of a report: `web` where its reporter wrote it, on the site or by the API; else staff entered it."""

    WEB = "web"
    COUNTER = "counter"  # loket
    TELEPHONE = "telephone"
    LETTER = "letter"
    SOCIAL_MEDIA = "social_media"


ENTERED_BY_STAFF = tuple(channel for channel in Channel if channel is not Channel.WEB)
"""The channels by which an operator enters a report for a person."""


class Path(StrEnum):
    """The result of the main team's classification (step 3): "ya" is information, "tidak" a complaint."""

    INFORMATION = "information"
    COMPLAINT = "complaint"


@dataclass(frozen=True)
class Step:
    """One row of the procedure's table.

    `minutes` is the standard time (waktu) in office minutes; `requirement` (kelengkapan) and `output` name the
    documents as the SOP does; `owner` is the stage whose service carries the step out.
    """

    number: int
    name: str
    activity: str
    role: Role
    requirement: str
    minutes: int
    output: str
    owner: str


SUBMIT = Step(
    1,
    "submit",
    "Registrasi, login, memilih kategori dan sub kategori, menginput informasi/pengaduan",
    Role.REPORTER,
    "Form Pengaduan",
    15,
    "Data Pemberi Aduan",
    "intake",
)
HAND_OVER = Step(
    2,
    "hand_over",
    "Menerima input pengaduan dan menyerahkannya kepada Tim NKK",
    Role.OPERATOR,
    "Data Pemberi Aduan",
    10,
    "Data Pengaduan",
    "intake",
)
CLASSIFY = Step(
    3,
    "classify",
    "Mengklasifikasi pengaduan atau informasi",
    Role.MAIN_TEAM,
    "Data Pengaduan",
    120,
    "Laporan Pengaduan",
    "triage",
)
RESPOND = Step(
    4,
    "respond",
    "Menerima pengaduan dan melakukan proses tanggapan",
    Role.OPD_TEAM,
    "Laporan Pengaduan",
    2 * MINUTES_PER_DAY,
    "Laporan Tanggapan Pengaduan",
    "opd_response",
)
APPROVE = Step(
    5,
    "approve",
    "Menerima tanggapan atas pengaduan dan menyerahkannya kepada operator",
    Role.MAIN_TEAM,
    "Laporan Tanggapan Pengaduan",
    10,
    "Laporan Tanggapan Pengaduan",
    "triage",
)
ANSWER = Step(
    6,
    "answer",
    "Menginput tanggapan untuk dikirimkan kepada pelapor",
    Role.OPERATOR,
    "Laporan Tanggapan Pengaduan",
    30,
    "Laporan Tanggapan Pengaduan",
    "notification",
)
RECEIVE = Step(
    7,
    "receive",
    "Pengaduan/informasi terjawab: pelapor menerima tanggapan",
    Role.REPORTER,
    "Laporan Tanggapan Pengaduan",
    5,
    "Laporan Tanggapan Pengaduan",
    "notification",
)

REPORTERS_CLOCKS = (HAND_OVER, RECEIVE)
"""Steps whose clock a reporter's act starts or stops."""

STEPS = (SUBMIT, HAND_OVER, CLASSIFY, RESPOND, APPROVE, ANSWER, RECEIVE)

PATHS = {
    Path.INFORMATION: (SUBMIT, HAND_OVER, CLASSIFY, ANSWER, RECEIVE),
    Path.COMPLAINT: STEPS,
}
"""The two ways through the procedure: information skips steps 4 and 5."""
