"""Evidence: what the stages know of the files attached to a report, a supplement or a response.

The files themselves are at the gateway; the stages keep and pass on descriptors only.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from nkk.sop.refusals import Refused

MOST_AT_ONCE = 50
"""The largest number of files in one message. The gateway's own limit (NKK_FILES_MOST) is lower by default."""

MOST_OF_A_REPORT = 100
"""The largest number of files of a report with all its supplements."""

_NUMBER = re.compile(r"(?:([RT])([1-9][0-9]{0,3})-)?([1-9][0-9]{0,2})")
NUMBER_LENGTH = 9
PARTS = ("file", "preview")
ID_LENGTH = 22


class Scan(StrEnum):
    """What the virus scanner says of a file."""

    NONE = "none"
    """No scanner is set."""
    HELD = "held"
    """It has not judged yet."""
    CLEAN = "clean"
    INFECTED = "infected"


ATTACHED = (Scan.NONE, Scan.HELD, Scan.CLEAN)
"""What the scanner may have said of a file when it is attached; an infected one never is."""


class UnknownFile(Refused):
    """The complaint has no such file, or none that this actor may open."""


class FileAttachedBefore(Refused):
    """An upload is attached to another report or response already; `details["file"]` is its place among those sent."""


class ReportFull(Refused):
    """The report would have more than MOST_OF_A_REPORT files; `details["most"]` is that number."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file: its number within the complaint, and its id in the gateway's store.

    `size` (bytes) and `sha256` (hex) are those of what is kept. `cleaned` says whether hidden data was removed,
    `readable` whether its content could be inspected (an encrypted one cannot).
    """

    number: str
    id: str
    media_type: str
    size: int
    sha256: str
    cleaned: bool
    readable: bool = True
    scan: str = Scan.NONE


@dataclass(frozen=True, kw_only=True)
class OwnFile(File):
    """A file as its reporter knows it: with the size and the digest of what came. Its name is at the gateway only."""

    came_size: int
    came_sha256: str
    added_at: str
    """When it was attached (RFC 3339)."""

    def shared(self) -> File:
        """Return what the desks may know of it."""
        return File(**{name: getattr(self, name) for name in File.__dataclass_fields__})


def numbered(
    described: Iterable[dict[str, Any]], after: int = 0, round_: int | None = None, question: int | None = None
) -> list[dict[str, Any]]:
    """Return the descriptors with numbers that follow `after`: 1, 2 … for a report's.

    Those of a response are `R1-1` …, those of the answer to a question `T1-1` ….
    """
    before = f"R{round_}-" if round_ is not None else f"T{question}-" if question is not None else ""
    return [each | {"number": f"{before}{count}"} for count, each in enumerate(described, after + 1)]


def round_of(number: str) -> int | None:
    """Return the number of the response that a file belongs to; None for any other file."""
    return _counted(number, "R")


def question_of(number: str) -> int | None:
    """Return the number of the question with whose answer a file came; None for any other file."""
    return _counted(number, "T")


def _counted(number: str, what: str) -> int | None:
    match = _NUMBER.fullmatch(number)
    return int(match[2]) if match and match[1] == what else None


def _place(number: str) -> tuple[int, int]:
    match = _NUMBER.fullmatch(number)
    return (int(match[2] or 0), int(match[3])) if match else (0, 0)


def of_round(files: Iterable[File], round_: int) -> tuple[File, ...]:
    """Return the files of response number `round_`."""
    return tuple(file for file in files if round_of(file.number) == round_)


def part(of: str) -> str:
    """Return `of`, the part of a file that is opened: the file or its preview. Raises UnknownFile for another."""
    if of not in PARTS:
        raise UnknownFile
    return of


def find(files: Iterable[File], number: str) -> File:
    """Return the file of this number. Raises UnknownFile."""
    for file in files:
        if file.number == number:
            return file
    raise UnknownFile


def joined(files: tuple[File, ...], more: Iterable[File]) -> tuple[File, ...]:
    """Return `files` and those of `more` with other numbers, in the order of their numbers.

    So an event consumed twice, or after a later one, changes nothing.
    """
    known = {file.number: file for file in more} | {file.number: file for file in files}
    return tuple(sorted(known.values(), key=lambda file: _place(file.number)))


def told(files: Iterable[File]) -> list[dict[str, Any]]:
    """Return the descriptors for an event, without anything that only the reporter knows."""
    return [asdict(file.shared() if isinstance(file, OwnFile) else file) for file in files]


def described(files: Iterable[dict[str, Any]]) -> tuple[File, ...]:
    """Return the files of an event's descriptors."""
    return tuple(File(**file) for file in files)
