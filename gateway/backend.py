"""The gateway's RPC calls to the stages; no other module makes them.

Data that identifies a reporter or opens an account crosses the broker in sealed boxes: encrypted for intake, and
answered with a key that only this call has. The caller's access token is sent only with calls that need a log-in.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from flask import current_app, g

from nkk.contracts import views
from nkk.messaging.boxes import Question
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.messaging.rpc_client import RpcClient
from nkk.trust.sealing import IDS, seal

STAGES = ("intake", "triage", "opd_response", "notification")
LEAST_SECONDS = 0.5
"""The timeout of a call in a request whose patience is used up, because this stage may be available."""

LISTS_SECONDS = 30
LISTS_PAUSE = LISTS_PATIENCE = 1.0
FIGURES_SECONDS = 60
FIGURES_PAUSE = 5.0
"""The start page shows figures, and its visitors must not each wait for notification while it is away."""

PING_SECONDS = 2.0
PING_KEPT_SECONDS = 1.0
"""Anybody may ask whether the stages answer, any number of times."""

FOR_ANYBODY = {
    "intake": {
        "register",
        "log_in",
        "renew",
        "lists",
        "request_reset",
        "complete_reset",
        "joint_leave",
        "open_account",
        "attached",
        "attached_after",
    },
    "opd_response": {"attached", "attached_after"},
    "notification": {"figures", "letters", "attached", "attached_after"},
}
"""The calls that need no log-in, by stage: they are sent no access token."""

AT_EVERY_STAGE = {"ping", "outbox"}


T = TypeVar("T")


class Kept(Generic[T]):
    """A stage's answer, cached for `seconds`, and for longer while the stage is unavailable.

    One thread at a time refreshes it, and the others get the cached one. After a failure the stage is not asked again
    for `pause` seconds.
    """

    def __init__(self, seconds: float, ask: Callable[[], T], pause: float = 0.0) -> None:
        self._seconds = seconds
        self._ask = ask
        self._pause = pause
        self._failed: tuple[float, StageUnavailableError | StageFailedError] | None = None
        self._known: tuple[float, T] | None = None
        self._asking = threading.Lock()

    def get(self) -> T:
        """Return the answer. Raises StageUnavailableError or StageFailedError where there is none."""
        known = self._known
        if known is not None and time.monotonic() - known[0] <= self._seconds:
            return known[1]
        failed = self._failed
        if failed is not None and time.monotonic() - failed[0] < self._pause:
            if known is None:
                raise failed[1]
            return known[1]
        if not self._asking.acquire(blocking=False):
            return known[1] if known is not None else self._ask()
        try:
            self._known = known = (time.monotonic(), self._ask())
        except (StageUnavailableError, StageFailedError) as error:
            self._failed = (time.monotonic(), error)
            if known is None:
                raise
        finally:
            self._asking.release()
        return known[1]

    @property
    def is_known(self) -> bool:
        """Whether there is an answer, of any age."""
        return self._known is not None

    def forget(self) -> None:
        """Drop the answer, because the data has just been changed."""
        self._known = None


class Recent:
    """An answer less than `seconds` old. One thread at a time refreshes it, which takes up to `at_most` seconds.

    A thread that asks meanwhile gets the previous answer where that is not much older, and waits for the new one
    otherwise.
    """

    def __init__(self, seconds: float, at_most: float, ask: Callable[[], dict[str, bool]]) -> None:
        self._seconds = seconds
        self._bearable = 2 * (seconds + at_most)
        self._ask = ask
        self._known: tuple[float, dict[str, bool]] = (-math.inf, {})
        self._asking = threading.Lock()

    def get(self) -> dict[str, bool]:
        if self._age() < self._seconds:
            return self._known[1]
        if not self._asking.acquire(blocking=False):
            if self._age() < self._bearable:
                return self._known[1]
            self._asking.acquire()
        try:
            if self._age() >= self._seconds:
                answer = self._ask()
                self._known = (time.monotonic(), answer)
            return self._known[1]
        finally:
            self._asking.release()

    def _age(self) -> float:
        return time.monotonic() - self._known[0]


class Backend:
    """The calls of the current request, each with its actor and correlation id."""

    def __init__(self, uri: str, intake_key: str, timeout: float) -> None:
        self._client = RpcClient(uri, timeout)
        self._timeout = timeout
        self._intake_key = intake_key
        self._lists = Kept(LISTS_SECONDS, self._ask_for_lists, LISTS_PAUSE)
        self._figures = Kept(FIGURES_SECONDS, lambda: self.call("notification", "figures"), FIGURES_PAUSE)
        self._answering = Recent(PING_KEPT_SECONDS, PING_SECONDS, self._ping)

    def call(self, stage: str, method: str, *args: Any) -> Any:
        """Return the result of calling `method` of `stage`."""
        return self._call(stage, method, *args)

    def _call(self, stage: str, method: str, *args: Any, within: float | None = None) -> Any:
        token = g.get("token") if needs_caller(stage, method) else None
        context = {"actor": token, "correlation_id": g.get("correlation_id")}
        began = time.monotonic()
        # The time that this request has waited in vain for a stage is taken from its next call's timeout.
        patience = max(LEAST_SECONDS, (within or self._timeout) - g.get("in_vain", 0.0))
        try:
            return self._client.call(stage, method, *args, context=context, timeout=patience)
        except StageUnavailableError:
            g.in_vain = g.get("in_vain", 0.0) + time.monotonic() - began
            raise

    def ask_intake(self, method: str, content: Mapping[str, Any]) -> Any:
        """Call intake with `content` sealed in a box; return the opened content of its answer."""
        proof = g.get("proof") if needs_caller("intake", method) else None
        question = Question(method, dict(content), self._intake_key, proof)
        return question.answer(self.call("intake", method, question.box))

    tell_intake = ask_intake
    """The same call, under the name used where it changes something."""

    def sealed_for_intake(self, content: Mapping[str, Any]) -> str:
        """Return `content`, a few digits, sealed as a field of a call that is not sealed itself."""
        return seal(dict(content), self._intake_key, IDS)

    def contact(self) -> dict[str, Any]:
        """Return the caller's own e-mail address and phone number."""
        return self.ask_intake("contact", {})

    def identity(self, ticket: str, on: str) -> dict[str, Any]:
        """Return the reporter's identity, for a screen or a document (`on`). Intake records each call."""
        return self.ask_intake("identity", {"ticket": ticket, "on": on})

    def replace_teams(self, teams: dict[str, Any]) -> dict[str, Any]:
        """Replace the addresses that notification writes to the teams at.

        Notification does not check sessions, so intake checks the admin's first.
        """
        self.call("intake", "check_in")
        return dict(self.call("notification", "replace_teams", teams))

    def lists(self) -> views.Lists:
        """Return catalogue and roster, at most LISTS_SECONDS old; older ones while intake is unavailable."""
        return self._lists.get()

    def lists_if_any(self) -> views.Lists:
        """Return the same; empty lists where there are none at present."""
        try:
            return self.lists()
        except (StageUnavailableError, StageFailedError):
            return {"categories": {}, "opds": {}, "changed_at": None}

    def figures(self) -> dict[str, Any]:
        """Return the public figures, at most FIGURES_SECONDS old; older ones while notification is unavailable."""
        return self._figures.get()

    def _ask_for_lists(self) -> views.Lists:
        # With cached lists, a request waits only briefly for newer ones.
        return self._call("intake", "lists", within=LISTS_PATIENCE if self._lists.is_known else None)

    def forget_lists(self) -> None:
        """Drop the lists, because they have just been replaced."""
        self._lists.forget()

    def ping(self) -> dict[str, bool]:
        """Return which stages answer, or did within the last PING_KEPT_SECONDS."""
        return self._answering.get()

    def _ping(self) -> dict[str, bool]:
        with ThreadPoolExecutor(len(STAGES)) as pool:
            return dict(zip(STAGES, pool.map(self._answers, STAGES), strict=True))

    def is_connected(self) -> bool:
        """Return whether this process is connected to the broker and receives the stages' answers."""
        return self._client.is_connected()

    def close(self) -> None:
        """Close the connection to the broker."""
        self._client.close()

    def _answers(self, stage: str) -> bool:
        try:
            self._client.call(stage, "ping", timeout=PING_SECONDS)
        except (StageUnavailableError, StageFailedError, RefusedRemotelyError):
            return False
        return True


def needs_caller(stage: str, method: str) -> bool:
    """Return whether a call is sent the caller's access token."""
    return method not in AT_EVERY_STAGE | FOR_ANYBODY.get(stage, set())


def backend() -> Backend:
    """Return the backend of the current application."""
    return current_app.extensions["nkk"]
