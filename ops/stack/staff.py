"""Calls as the admin from the command line, for which the installation's signing key suffices, and the demo staff."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nkk.messaging.boxes import Question
from nkk.messaging.calls import RefusedRemotelyError
from nkk.messaging.rpc_client import RpcClient
from nkk.settings.keys import as_pem
from nkk.sop.catalogue import OPDS
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, sign
from ops.stack.run import read_kept, write_secret


class Admin:
    """A client that calls the stages as an admin, with tokens that it signs itself, valid for some minutes."""

    def __init__(self, client: RpcClient, keys: Mapping[str, str]) -> None:
        self._client = client
        self._keys = keys

    def call(self, method: str, *args: Any, stage: str = "intake", timeout: float | None = None) -> Any:
        """Return the result of a stage's `method`. `timeout` is in seconds; None for the client's default."""
        if timeout is not None:
            # A quick call first, so that a long timeout is not spent on a stage that hangs.
            self._client.call(stage, "outbox")
        return self._call(stage, method, *args, token=self._token(), timeout=timeout)

    def call_sealed(self, method: str, content: dict[str, Any]) -> Any:
        """Return the result of intake's `method` with `content`, both sealed in boxes."""
        proof = secrets.token_hex(32)
        question = Question(method, content, self._keys["NKK_INTAKE_PUBLIC_KEY"], proof)
        return question.answer(self._call("intake", method, question.box, token=self._token(proof)))

    def _token(self, proof: str | None = None) -> str:
        key = as_pem(self._keys["NKK_TOKEN_SIGNING_KEY"])
        return sign(Actor("command-line", Role.ADMIN), key, proof=proof)[0]

    def _call(self, stage: str, method: str, *args: Any, token: str, timeout: float | None = None) -> Any:
        return self._client.call(stage, method, *args, context={"actor": token}, timeout=timeout)


def ensure_demonstration_staff(admin: Admin, path: Path) -> dict[str, Any]:
    """Ensure a demonstration account for every role and for every OPD of the default roster, and return them.

    They are stored in `path`: {role: {"username", "password"}}, and for the OPD teams {"opd_team": {opd: {"username",
    "password"}}}.
    """
    if not path.exists():
        write_secret(path, json.dumps(_new_staff(), indent=1))
    staff = read_kept(path)
    for role, name in ((Role.OPERATOR, "Operator"), (Role.MAIN_TEAM, "Tim Utama"), (Role.ADMIN, "Admin")):
        _ensure(admin, staff[role], f"{name} Peragaan", role)
    for opd, team in staff[Role.OPD_TEAM].items():
        _ensure(admin, team, f"Tim Pembantu {OPDS[opd]}", Role.OPD_TEAM, opd)
    return staff


def _new_staff() -> dict[str, Any]:
    def credentials(username: str) -> dict[str, str]:
        return {"username": username, "password": secrets.token_urlsafe(9)}

    return {
        Role.OPERATOR: credentials("operator"),
        Role.MAIN_TEAM: credentials("tim-utama"),
        Role.ADMIN: credentials("admin"),
        Role.OPD_TEAM: {opd: credentials(f"opd-{opd}") for opd in OPDS},
    }


def _ensure(admin: Admin, credentials: dict[str, str], name: str, role: str, opd: str | None = None) -> None:
    """Add the account. An existing account with this user name is not changed, since it may be in use."""
    try:
        admin.call_sealed("add_staff", credentials | {"name": name, "role": role, "opd": opd})
    except RefusedRemotelyError as refusal:
        if refusal.name != "UsernameTaken":
            raise
