"""All books together."""

from dataclasses import dataclass, field

from tests.chaos.accountant import (
    answers,
    broker,
    closings,
    commands,
    effects,
    events,
    files,
    joins,
    journeys,
    letters,
    notes,
    questions,
    recusals,
    tools,
)
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages
from tests.chaos.record import Record

MAILER_KEPT = (
    "instance killed",
    "instance ended",
    "instance frozen",
    "stage away",
    "rolling restart",
    "older version",
    "clock jumps",
    "PostgreSQL restarted",
    "PostgreSQL killed",
    "connections cut",
    "disk full",
    "database locked",
    "line: delay",
    "line: stall",
    "line: halve",
    "line: reset",
)
"""Faults that may occur between a mail server's reply and the update of the database. The copy that is then sent is the
same message to any mail program; any other copy is a breach."""

AFTERMATH_SECONDS = 5.0


@dataclass(frozen=True)
class Evidence:
    """The evidence for the accountant: the databases' pages, the harness's record, what its listener overheard as
    (stage, event id), what is left on the broker, the letters that the mail server got, and the unfinished journeys."""

    pages: Pages
    record: Record
    overheard: list[tuple[str, str]]
    left: broker.Left
    letters: list[letters.Letter]
    unfinished: list[journeys.Unfinished] = field(default_factory=list)
    received: list[tools.Received] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)
    """The SHA-256 of every file that is whole in the gateway's store, by its id."""


def breaches(evidence: Evidence) -> list[Breach]:
    """Yield a breach for every book that does not balance."""

    def excused(began: float, ended: float) -> bool:
        return any(
            struck.kind in MAILER_KEPT and struck.overlaps(began, ended, AFTERMATH_SECONDS)
            for struck in evidence.record.struck
        )

    pages, record = evidence.pages, evidence.record
    return [
        *events.breaches(pages),
        *events.breaches_of_line(pages.told, evidence.overheard),
        *tools.breaches(pages, evidence.received),
        *effects.breaches(pages),
        *commands.breaches(pages, record.asked),
        *answers.breaches(record),
        *broker.breaches(evidence.left),
        *files.breaches(pages, record, evidence.stored),
        *letters.breaches(pages, evidence.letters, excused),
        *notes.breaches(pages, record),
        *recusals.breaches(pages),
        *joins.breaches(pages),
        *questions.breaches(pages),
        *closings.breaches(pages),
        *journeys.breaches(record, evidence.unfinished),
    ]
