"""The record of a run: every request with its answer, and every fault."""

from dataclasses import dataclass, field
from pathlib import Path
from time import time

PRESSURE = Path("/proc/pressure/cpu")


@dataclass(frozen=True)
class Asked:
    """One request and its answer. `at` is seconds since the epoch by the harness's own clock, `took` is in seconds.

    `status` is None where the connection broke before an answer; `problem` is the type of a problem, `flaw` what is
    wrong with the form of the answer. `starved` is for how many of its seconds some process on this machine waited for
    a processor. `key` is a submission's Idempotency-Key, `closed` says that a reporter was shown a complaint as closed,
    and `file` is the number of the file that was opened, with `/preview` behind it where that was.
    """

    at: float
    took: float
    operation: str
    who: str
    status: int | None
    ticket: str | None = None
    key: str | None = None
    problem: str | None = None
    flaw: str | None = None
    closed: bool = False
    starved: float = 0.0
    file: str | None = None

    def __str__(self) -> str:
        said = self.status or "no answer"
        return f"{self.who}: {self.operation} -> {said}{f' {self.problem}' if self.problem else ''} ({self.took:.2f} s)"


@dataclass
class Struck:
    """A fault that was struck: its `kind`, its target, and its start and end in seconds since the epoch."""

    kind: str
    target: str
    began: float
    ended: float = float("inf")

    def overlaps(self, began: float, ended: float, slack: float = 0.0) -> bool:
        """Return whether the fault was active between the two times, or ended at most `slack` seconds before."""
        return self.began <= ended and began <= self.ended + slack

    def __str__(self) -> str:
        return f"{self.kind} {self.target}, {self.ended - self.began:.1f} s"


def starved_so_far() -> float:
    """Return the seconds since boot in which some process waited for a processor; 0 where they are not counted."""
    try:
        return int(PRESSURE.read_text().partition("total=")[2].split()[0]) / 1e6
    except (OSError, IndexError):
        return 0.0


@dataclass
class Record:
    """Everything recorded in one run."""

    seed: int
    began: float = field(default_factory=time)
    asked: list[Asked] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)
    """The ticket that each file was sent for, by the file's SHA-256."""
    refused: set[str] = field(default_factory=set)
    """The SHA-256 of the files that were refused, of which each was sent for a report all the same."""
    chosen: dict[str, set[str]] = field(default_factory=dict)
    """The numbers of the files that the operator sent with each answer."""
    crowded: set[str] = field(default_factory=set)
    """The tickets on which several people act at once, so that one act may overtake another."""
    joined: dict[str, set[str]] = field(default_factory=dict)
    """The tickets that each complaint was, or may have been, joined with."""
    notes: dict[str, list[tuple[str, int | None]]] = field(default_factory=dict)
    """By the text of a note: the ticket and the status of each request to add it."""
    shown: list[tuple[str, str, str]] = field(default_factory=list)
    """The files that answers listed or contained: ticket, number, and SHA-256 of what is kept."""

    def under(self, asked: Asked, kinds: tuple[str, ...], slack: float = 0.0) -> bool:
        """Return whether a fault of one of `kinds` was active during `asked`, or ended up to `slack` seconds before."""
        return any(
            struck.kind in kinds and struck.overlaps(asked.at, asked.at + asked.took, slack) for struck in self.struck
        )
