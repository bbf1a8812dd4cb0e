"""The promises: the answers of each operation, and their time limits, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.chaos.acts import ACTS, Sent

CALL_SECONDS = 3.0
"""The gateway's time limit for one call to a stage (NKK_RPC_TIMEOUT of the installation)."""

MARGIN_SECONDS = 4.0
"""What a request may take in addition to its calls, on a machine that is busy with other work."""

UNAVAILABLE = {503: ("unavailable",)}
HASHING = {503: ("unavailable", "busy")}


@dataclass(frozen=True)
class Promise:
    """`answers` are the problems that each status may have, none for a success. A request takes at most `calls` calls
    to stages, one after another. An accepted one publishes exactly one of the events `facts`."""

    answers: Mapping[int, tuple[str, ...]]
    calls: int = 1
    facts: tuple[str, ...] = ()
    done: tuple[str, ...] = field(default=())
    """The problems that mean that the command was carried out before."""

    @property
    def seconds(self) -> float:
        """The time limit for the answer, whichever part is unavailable."""
        return self.calls * CALL_SECONDS + MARGIN_SECONDS


def _command(
    facts: tuple[str, ...], done: tuple[str, ...], not_yet: tuple[str, ...] = (), calls: int = 1, unheard: bool = True
) -> Promise:
    """Return the promise of a command at a desk. `not_yet` are the problems of one that comes too early; with
    `unheard`, the desk may not know the ticket yet."""
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
    "questions": Promise({200: ()} | UNAVAILABLE, calls=2),
    "timeline": Promise({200: ()} | UNAVAILABLE, calls=3),
    "begin upload": Promise({201: ()} | UNAVAILABLE),
    # A second request for the same bytes comes where the answer to the first was lost, or while it still waits.
    "send upload": Promise(
        {204: (), 409: ("wrong-offset",), 423: ("upload-in-use",), 503: ("too-many-uploads",)}, calls=2
    ),
    "look at upload": Promise({200: ()} | UNAVAILABLE),
    "supplement": Promise({201: ()} | UNAVAILABLE, calls=2),
    "attach refused": Promise({422: ("upload-refused",)} | UNAVAILABLE, calls=2),
    "open file": Promise({200: (), 404: ("unknown-ticket", "unknown-file")} | UNAVAILABLE, calls=2),
    "desk": Promise({200: ()} | UNAVAILABLE),
}


def _act(sent: Sent) -> Promise:
    """Return the promise of an act beside the path; its stage may not know the ticket yet, or no more."""
    answers = {sent.success: (), 404: ("unknown-ticket", *sent.missing), 409: sent.refused + sent.done} | UNAVAILABLE
    return Promise(
        {status: of for status, of in answers.items() if of or status != 409}, sent.calls, sent.facts, sent.done
    )


PROMISES |= {sent.operation: _act(sent) for sent in ACTS.values() if sent.operation not in PROMISES}

UNDER_JUMPED_CLOCKS = {401: ("not-authenticated",)}
"""Additional answers while, or just after, a clock is wrong, because a log-in expires."""
