"""The book of answers: every answer to a client is a promised one, and came in time."""

from collections.abc import Iterator

from tests.chaos.accountant.breach import Breach
from tests.chaos.acts import MEANWHILE
from tests.chaos.promises import PROMISES, UNDER_JUMPED_CLOCKS
from tests.chaos.record import Asked, Record

GATEWAY_DIES = ("worker killed", "worker ended", "gateway killed", "gateway ended")
"""Faults under which a connection may break without an answer, because the gateway itself died."""

GATEWAY_AWAY = (*GATEWAY_DIES, "worker frozen", "gateway frozen")
CLOCK_JUMPS = ("clock jumps",)

AFTERMATH_SECONDS = 5.0
"""How long after its end a fault of the gateway or a clock may still have effects, until the process is back."""


def breaches(record: Record) -> Iterator[Breach]:
    """Yield each answer, or missing answer, that is not promised."""
    for asked in record.asked:
        about = asked.ticket or asked.operation
        for flaw in (_status(record, asked), _time(record, asked), asked.flaw):
            if flaw:
                yield Breach("answers", about, f"{asked}: {flaw}")


def _status(record: Record, asked: Asked) -> str | None:
    promise = PROMISES[asked.operation]
    if asked.status is None:
        broke = record.under(asked, GATEWAY_DIES, AFTERMATH_SECONDS)
        return None if broke else f"no answer, and no fault of the gateway ({asked.problem})"
    answers = dict(promise.answers)
    if record.under(asked, CLOCK_JUMPS, AFTERMATH_SECONDS):
        answers |= UNDER_JUMPED_CLOCKS
    if asked.ticket in record.crowded and (meanwhile := MEANWHILE.get(asked.operation)):
        answers[409] = (*answers.get(409, ()), *meanwhile)
    if asked.status not in answers:
        return "not promised"
    problems = answers[asked.status]
    if (asked.problem or None) not in (problems or (None,)):
        return f"not promised with a {asked.status}"
    return None


def _time(record: Record, asked: Asked) -> str | None:
    # The promise is about waiting for others, not about other load on this machine. Up to as much time again is allowed
    # for that, because an answer that hangs may hang on a busy machine too.
    promised = PROMISES[asked.operation].seconds
    bound = promised + min(asked.starved, promised)
    # A request to a process that is stopped or missing is answered when the process is back.
    bound += sum(
        struck.ended - struck.began
        for struck in record.struck
        if struck.kind in GATEWAY_AWAY and struck.overlaps(asked.at, asked.at + asked.took)
    )
    return f"took {asked.took:.1f} s, where {bound:.0f} s are promised" if asked.took > bound else None
