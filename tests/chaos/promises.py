"""Which answers each operation promises, and how soon: one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field

CALL_SECONDS = 3.0
"""The gateway's time limit for one call to a stage (NKK_RPC_TIMEOUT of the installation)."""

MARGIN_SECONDS = 4.0
"""What a request may take beside its calls, on a machine that is busy with other things."""

UNAVAILABLE = {503: ("unavailable",)}
HASHING = {503: ("unavailable", "busy")}


@dataclass(frozen=True)
class Promise:
    """`answers` are the problems each status may come with, none for a success. The request takes at most `calls`
    calls to stages, one after another. `facts` are the events of which an accepted one tells exactly one."""

    answers: Mapping[int, tuple[str, ...]]
    calls: int = 1
    facts: tuple[str, ...] = ()
    done: tuple[str, ...] = field(default=())
    """The problems that say that it was done before."""

    @property
    def seconds(self) -> float:
        """Within which it is answered, whatever is away."""
        return self.calls * CALL_SECONDS + MARGIN_SECONDS


def _command(
    facts: tuple[str, ...], done: tuple[str, ...], not_yet: tuple[str, ...] = (), calls: int = 1, unheard: bool = True
) -> Promise:
    """A command at a desk: `not_yet` are the problems of one that comes too early; `unheard` says that the desk may
    not know the ticket yet."""
    answers = {200: (), 409: done + not_yet} | UNAVAILABLE | ({404: ("unknown-ticket",)} if unheard else {})
    return Promise(answers, calls, facts, done)


PROMISES: dict[str, Promise] = {
    "register": Promise({201: (), 409: ("username-taken",)} | HASHING),
    "log in": Promise({201: ()} | HASHING),
    "submit": Promise({201: ()} | UNAVAILABLE, facts=("complaint.submitted.v2",)),
    "hand over": _command(("complaint.handed_over.v1",), ("already-handed-over",), unheard=False),
    "classify": _command(
        ("complaint.classified_as_information.v1", "complaint.forwarded.v1"), ("already-classified",), calls=2
    ),
    "respond": _command(("response.submitted.v1",), ("already-responded",)),
    "return": _command(("response.returned.v1",), ("already-approved",), ("no-response-yet",)),
    "approve": _command(("response.approved.v1",), ("already-approved",), ("no-response-yet",)),
    "answer": _command(
        ("answer.sent.v1",), ("already-answered",), ("not-your-step", "being-prepared"), calls=2, unheard=False
    ),
    "confirm": _command(
        ("complaint.closed.v1",), ("already-confirmed",), ("not-answered-yet", "being-prepared"), calls=2, unheard=False
    ),
    "claim": Promise(
        {
            200: (),
            404: ("unknown-ticket",),
            409: (
                "claimed-by-colleague",
                "not-your-step",
                "already-handed-over",
                "already-classified",
                "already-responded",
                "already-approved",
                "already-answered",
            ),
        }
        | UNAVAILABLE,
        calls=2,
    ),
    "look": Promise({200: (), 404: ("unknown-ticket",)} | UNAVAILABLE, calls=2),
    "read": Promise({200: ()} | UNAVAILABLE, calls=2),
    "timeline": Promise({200: ()} | UNAVAILABLE, calls=3),
    "desk": Promise({200: ()} | UNAVAILABLE),
}

UNDER_JUMPED_CLOCKS = {401: ("not-authenticated",)}
"""Promised besides while, or just after, a clock is wrong: a log-in has a time."""
