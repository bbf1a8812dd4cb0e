"""One act on several cases: each in a transaction of its own, and each with its own result."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gateway import complaints, desks
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop.refusals import NotAuthenticated, Refused


@dataclass(frozen=True)
class Result:
    """What became of one case: the stage's result, or why it was not done."""

    ticket: str
    done: Any = None
    failed: Exception | None = None


def claim(tickets: Iterable[str], take_over: bool = False) -> list[Result]:
    """Claim cases for the caller; those claimed by a colleague only with `take_over`."""
    return _each(tickets, lambda ticket: desks.claim(complaints.known(ticket), take_over))


def hand_over(tickets: Iterable[str]) -> list[Result]:
    """Hand reports over to Tim Utama (step 2), but none that a colleague works on or that waits for its reporter."""
    return _each(tickets, lambda ticket: complaints.hand_over(ticket, if_free=True))


def _each(tickets: Iterable[str], act: Callable[[str], Any]) -> list[Result]:
    """Return the result of `act` on each of `tickets`, once for each.

    What refuses the caller refuses the request. Once a stage is unavailable, no further case is tried.
    """
    results: list[Result] = []
    away: Exception | None = None
    for ticket in dict.fromkeys(tickets):
        if away is not None:
            results.append(Result(ticket, failed=away))
            continue
        try:
            results.append(Result(ticket, act(ticket)))
        except (RefusedRemotelyError, Refused) as refusal:
            if _name(refusal) == NotAuthenticated.__name__:
                raise
            results.append(Result(ticket, failed=refusal))
        except (StageUnavailableError, StageFailedError) as error:
            if not results:
                raise
            away = error
            results.append(Result(ticket, failed=error))
    return results


def _name(refusal: RefusedRemotelyError | Refused) -> str:
    return refusal.name if isinstance(refusal, RefusedRemotelyError) else type(refusal).__name__
