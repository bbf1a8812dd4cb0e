"""The refusals of triage, and what is checked of an act whatever the case."""

from collections.abc import Container

from nkk.sop import faults
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotYourStep, Refused


class AlreadyClassified(AlreadyDone):
    """Step 3 has already been done."""


class AlreadyApproved(AlreadyDone):
    """Step 5 has already been done."""


class NotWithOpd(NotYourStep):
    """The complaint is not with an OPD team that has not responded, so that it cannot be taken back."""


class NothingToKeep(NotYourStep):
    """The report was not withdrawn, or not while it was at this desk, so that it cannot go on without its reporter."""


class NoRequest(NotYourStep):
    """The OPD team has not asked for more time, or has no use for it any more."""


class AlreadyJoined(AlreadyDone):
    """The report was joined with another, which `details["first"]` names."""


class NotJoined(NotYourStep):
    """The report does not rest with another, so that it cannot be parted from one."""


class CannotJoin(Refused):
    """The two reports cannot be joined.

    The code says why: it is the same report; the first is itself joined with another (`details["first"]`), was
    withdrawn or closed as not completed, or is decided; others rest with the second; the second was answered before; or
    the second has a conflict of interest of which the first says nothing, so that it could go to the accused's own team
    unnoticed.
    """

    also = (
        "join-with-itself",
        "first-is-joined",
        "first-was-withdrawn",
        "first-was-abandoned",
        "first-is-decided",
        "others-are-joined",
        "answered-before",
        "conflict-unlike-first",
    )


class AlreadyGathered(AlreadyDone):
    """This OPD has responded to the complaint, or as many OPDs have as can."""

    also = ("gathered-enough",)


class NothingGathered(NotYourStep):
    """No response was kept that could go to the operator without that of a further OPD."""


class NoResponseYet(NotYourStep):
    """The OPD team has not responded yet, so there is nothing to approve or return."""


def check_information(opd: str | None) -> None:
    """Raise InvalidInput where an agency is given for information, which goes to the operator."""
    if opd is not None:
        raise InvalidInput.of(opd=faults.OPD_OF_INFORMATION())


def check_forwarding(opd: str | None, roster: Container[str] | None) -> None:
    """Raise InvalidInput where `opd` is None or not on the roster. A roster that is not known yet allows any agency."""
    if opd is None or (roster is not None and opd not in roster):
        raise InvalidInput.of(opd=faults.NO_SUCH_OPD())


def check_grant(days: int, note: str | None) -> None:
    """Raise InvalidInput where no time is granted, and no note says why."""
    if not days and note is None:
        raise InvalidInput.of(note=faults.REFUSAL_WITHOUT_NOTE())


def check_return(note: str | None) -> None:
    """Raise InvalidInput where a response is returned without a note."""
    if note is None:
        raise InvalidInput.of(note=faults.RETURN_WITHOUT_NOTE())
