"""What is written down while it happens: every request with its answer, and every fault."""

from dataclasses import dataclass, field
from pathlib import Path
from time import time

PRESSURE = Path("/proc/pressure/cpu")


@dataclass(frozen=True)
class Asked:
    """One request and its answer. `at` is seconds since the epoch by the harness's own clock, `took` seconds.

    `status` is None where the connection broke before an answer; `problem` is the type of a problem, `flaw` what is
    amiss with the answer's form. `starved` is how many seconds of it somebody on this machine had work and waited for a
    processor. `key` is a submission's Idempotency-Key, `closed` says that a reporter was shown a
    complaint as closed.
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

    def __str__(self) -> str:
        said = self.status or "no answer"
        return f"{self.who}: {self.operation} -> {said}{f' {self.problem}' if self.problem else ''} ({self.took:.2f} s)"


@dataclass
class Struck:
    """A fault that was struck: its `kind`, what it struck, and from when to when (seconds since the epoch)."""

    kind: str
    target: str
    began: float
    ended: float = float("inf")

    def overlaps(self, began: float, ended: float, slack: float = 0.0) -> bool:
        """Whether it went on at any time between the two, or not longer than `slack` seconds before."""
        return self.began <= ended and began <= self.ended + slack

    def __str__(self) -> str:
        return f"{self.kind} {self.target}, {self.ended - self.began:.1f} s"


def starved_so_far() -> float:
    """Seconds since the machine started in which somebody had work and waited for a processor; 0 where the kernel does
    not count them."""
    try:
        return int(PRESSURE.read_text().partition("total=")[2].split()[0]) / 1e6
    except (OSError, IndexError):
        return 0.0


@dataclass
class Record:
    """Everything written down in one run."""

    seed: int
    began: float = field(default_factory=time)
    asked: list[Asked] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)

    def under(self, asked: Asked, kinds: tuple[str, ...], slack: float = 0.0) -> bool:
        """Whether a fault of one of `kinds` went on while `asked` did, or ended not longer than `slack` before."""
        return any(
            struck.kind in kinds and struck.overlaps(asked.at, asked.at + asked.took, slack) for struck in self.struck
        )
