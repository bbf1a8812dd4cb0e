"""The gateway's calls to the stages: the only module that speaks RPC.

What tells who reported crosses the broker sealed: written to intake with its public key, and back with a key of this
call's own.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import current_app, g

from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.messaging.rpc_client import RpcClient
from nkk.messaging.sealing import new_key_pair, seal, unseal

STAGES = ("intake", "triage", "opd_response", "notification")
LISTS_SECONDS = 30
PING_SECONDS = 2.0


class Backend:
    """Calls for the request at hand: its actor and correlation id travel with each."""

    def __init__(self, uri: str, intake_key: str, timeout: float) -> None:
        self._client = RpcClient(uri, timeout)
        self._intake_key = intake_key
        self._lists: tuple[float, dict[str, Any]] | None = None

    def call(self, stage: str, method: str, *args: Any) -> Any:
        """The result of `method` of `stage`."""
        context = {"actor": g.get("token"), "correlation_id": g.get("correlation_id")}
        return self._client.call(stage, method, *args, context=context)

    def tell_intake(self, method: str, content: Mapping[str, Any]) -> Any:
        """Call intake with `content` sealed."""
        return self.call("intake", method, seal(dict(content), self._intake_key))

    def ask_intake(self, method: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Call intake with `content` sealed; its answer comes sealed too."""
        private, public = new_key_pair()
        return unseal(self.call("intake", method, seal(dict(content), self._intake_key), public), private)

    def complaint_with_reporter(self, ticket: str) -> dict[str, Any]:
        """Intake's view for the operator, with who reported opened; None for a confidential one."""
        private, public = new_key_pair()
        view = self.call("intake", "complaint", ticket, public)
        box = view.pop("reporter", None)
        return view | {"reporter": unseal(box, private) if box else None}

    def lists(self) -> dict[str, Any]:
        """Catalogue and roster, at most LISTS_SECONDS old; older where intake is away and they were known."""
        known = self._lists
        if known is None or time.monotonic() - known[0] > LISTS_SECONDS:
            try:
                known = (time.monotonic(), self.call("intake", "lists"))
            except (StageUnavailableError, StageFailedError):
                if known is None:
                    raise
            self._lists = known
        return known[1]

    def forget_lists(self) -> None:
        """They have just been replaced."""
        self._lists = None

    def ping(self) -> dict[str, bool]:
        """Which stages answer."""
        with ThreadPoolExecutor(len(STAGES)) as pool:
            return dict(zip(STAGES, pool.map(self._answers, STAGES), strict=True))

    def close(self) -> None:
        """End the connection to the broker."""
        self._client.close()

    def _answers(self, stage: str) -> bool:
        try:
            self._client.call(stage, "ping", timeout=PING_SECONDS)
        except (StageUnavailableError, StageFailedError, RefusedRemotelyError):
            return False
        return True


def backend() -> Backend:
    """The backend of this application."""
    return current_app.extensions["nkk"]
