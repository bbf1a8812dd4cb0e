"""The gateway's calls to the stages: the only module that speaks RPC.

What tells who reported, and what opens an account, crosses the broker in boxes: sealed for intake, and back with a key
that this call alone has. The caller's access token goes where somebody must be logged in, and nowhere else.
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

STAGES = ("intake", "triage", "opd_response", "notification")
LEAST_SECONDS = 0.5
"""What a stage is given by a request that has no patience left: another one was away, and this one may be there."""

LISTS_SECONDS = 30
LISTS_PAUSE = LISTS_PATIENCE = 1.0
FIGURES_SECONDS = 60
FIGURES_PAUSE = 5.0
"""The start page shows figures: it is not to wait for notification, where that is away, with every visitor."""

PING_SECONDS = 2.0
PING_KEPT_SECONDS = 1.0
"""Anybody may ask whether the stages answer, as often as they like."""

FOR_ANYBODY = {
    "intake": {"register", "log_in", "renew", "lists", "request_reset", "complete_reset", "joint_leave"},
    "notification": {"figures", "letters"},
}
"""What nobody need be logged in for, by stage: these calls are sent no access token."""

AT_EVERY_STAGE = {"ping", "outbox"}


T = TypeVar("T")


class Kept(Generic[T]):
    """What a stage was asked, for `seconds`; for longer while the stage is away. One thread at a time asks anew, and
    the others make do with what there is. After a failure it is not asked again for `pause` seconds."""

    def __init__(self, seconds: float, ask: Callable[[], T], pause: float = 0.0) -> None:
        self._seconds = seconds
        self._ask = ask
        self._pause = pause
        self._failed: tuple[float, StageUnavailableError | StageFailedError] | None = None
        self._known: tuple[float, T] | None = None
        self._asking = threading.Lock()

    def get(self) -> T:
        """What is known. Raises StageUnavailableError or StageFailedError where nothing is."""
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
        """Whether there is an answer, however old."""
        return self._known is not None

    def forget(self) -> None:
        """It has just been changed."""
        self._known = None


class Recent:
    """What was asked less than `seconds` ago. One thread at a time asks anew, which takes `at_most`; who comes
    meanwhile is told what was so before that, where it was not long before, and waits for the new answer otherwise."""

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
    """Calls for the request at hand: its actor and correlation id travel with each."""

    def __init__(self, uri: str, intake_key: str, timeout: float) -> None:
        self._client = RpcClient(uri, timeout)
        self._timeout = timeout
        self._intake_key = intake_key
        self._lists = Kept(LISTS_SECONDS, self._ask_for_lists, LISTS_PAUSE)
        self._figures = Kept(FIGURES_SECONDS, lambda: self.call("notification", "figures"), FIGURES_PAUSE)
        self._answering = Recent(PING_KEPT_SECONDS, PING_SECONDS, self._ping)

    def call(self, stage: str, method: str, *args: Any) -> Any:
        """The result of `method` of `stage`."""
        return self._call(stage, method, *args)

    def _call(self, stage: str, method: str, *args: Any, within: float | None = None) -> Any:
        token = g.get("token") if needs_caller(stage, method) else None
        context = {"actor": token, "correlation_id": g.get("correlation_id")}
        began = time.monotonic()
        # A request that waited for a stage in vain, and went on, waits the less for the next.
        patience = max(LEAST_SECONDS, (within or self._timeout) - g.get("in_vain", 0.0))
        try:
            return self._client.call(stage, method, *args, context=context, timeout=patience)
        except StageUnavailableError:
            g.in_vain = g.get("in_vain", 0.0) + time.monotonic() - began
            raise

    def ask_intake(self, method: str, content: Mapping[str, Any]) -> Any:
        """Call intake in a box with `content`; its answer comes in one too."""
        proof = g.get("proof") if needs_caller("intake", method) else None
        question = Question(method, dict(content), self._intake_key, proof)
        return question.answer(self.call("intake", method, question.box))

    tell_intake = ask_intake
    """The same, of what is done rather than asked for."""

    def contact(self) -> dict[str, Any]:
        """The caller's own e-mail address and phone number."""
        return self.ask_intake("contact", {})

    def identity(self, ticket: str, on: str) -> dict[str, Any]:
        """Who reported, for the operator, `on` a screen or a document: an act, which intake records."""
        return self.ask_intake("identity", {"ticket": ticket, "on": on})

    def replace_teams(self, teams: dict[str, Any]) -> dict[str, Any]:
        """Have the teams written to at these addresses. Notification knows no sessions: intake is asked for the
        admin's first."""
        self.call("intake", "check_in")
        return dict(self.call("notification", "replace_teams", teams))

    def lists(self) -> views.Lists:
        """Catalogue and roster, at most LISTS_SECONDS old; older where intake is away and they were known."""
        return self._lists.get()

    def lists_if_any(self) -> views.Lists:
        """The same; empty where they cannot be had just now."""
        try:
            return self.lists()
        except (StageUnavailableError, StageFailedError):
            return {"categories": {}, "opds": {}, "changed_at": None}

    def figures(self) -> dict[str, Any]:
        """What anybody may know, at most FIGURES_SECONDS old; older where notification is away and they were known."""
        return self._figures.get()

    def _ask_for_lists(self) -> views.Lists:
        # With some at hand, nobody waits long for newer ones.
        return self._call("intake", "lists", within=LISTS_PATIENCE if self._lists.is_known else None)

    def forget_lists(self) -> None:
        """They have just been replaced."""
        self._lists.forget()

    def ping(self) -> dict[str, bool]:
        """Which stages answer, or did a moment ago."""
        return self._answering.get()

    def _ping(self) -> dict[str, bool]:
        with ThreadPoolExecutor(len(STAGES)) as pool:
            return dict(zip(STAGES, pool.map(self._answers, STAGES), strict=True))

    def is_connected(self) -> bool:
        """Whether this process hears the stages."""
        return self._client.is_connected()

    def close(self) -> None:
        """End the connection to the broker."""
        self._client.close()

    def _answers(self, stage: str) -> bool:
        try:
            self._client.call(stage, "ping", timeout=PING_SECONDS)
        except (StageUnavailableError, StageFailedError, RefusedRemotelyError):
            return False
        return True


def needs_caller(stage: str, method: str) -> bool:
    """Whether a call is sent the caller's access token."""
    return method not in AT_EVERY_STAGE | FOR_ANYBODY.get(stage, set())


def backend() -> Backend:
    """The backend of this application."""
    return current_app.extensions["nkk"]
