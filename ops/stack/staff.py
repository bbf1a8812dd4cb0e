"""Staff accounts from the command line: whoever holds the signing key of an installation may speak as its admin."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nkk.messaging.boxes import Question
from nkk.messaging.calls import RefusedRemotelyError
from nkk.messaging.rpc_client import RpcClient
from nkk.settings.written import as_pem
from nkk.sop.catalogue import OPDS
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, sign
from ops.stack.run import read_kept, write_secret


class Admin:
    """Calls the stages as an admin, with a token signed here and good for a few minutes."""

    def __init__(self, client: RpcClient, keys: Mapping[str, str]) -> None:
        self._client = client
        self._keys = keys

    def call(self, method: str, *args: Any, stage: str = "intake", timeout: float | None = None) -> Any:
        """Return the result of a stage's `method`, waited for `timeout` seconds, or as long as for any other call."""
        if timeout is not None:
            # A stage that hangs is not to be waited for so long: it is asked first for what it answers at once.
            self._client.call(stage, "outbox")
        return self._call(stage, method, *args, token=self._token(), timeout=timeout)

    def call_sealed(self, method: str, content: dict[str, Any]) -> Any:
        """The result of intake's `method` with `content`, both in boxes."""
        proof = secrets.token_hex(32)
        question = Question(method, content, self._keys["NKK_INTAKE_PUBLIC_KEY"], proof)
        return question.answer(self._call("intake", method, question.box, token=self._token(proof)))

    def _token(self, proof: str | None = None) -> str:
        key = as_pem(self._keys["NKK_TOKEN_SIGNING_KEY"])
        return sign(Actor("command-line", Role.ADMIN), key, proof=proof)[0]

    def _call(self, stage: str, method: str, *args: Any, token: str, timeout: float | None = None) -> Any:
        return self._client.call(stage, method, *args, context={"actor": token}, timeout=timeout)


def ensure_demonstration_staff(admin: Admin, path: Path) -> dict[str, Any]:
    """One account for every role and one team for every OPD of the default roster, kept in `path`.

    {role: {"username", "password"}}, for the OPD teams {"opd_team": {opd: {"username", "password"}}}.
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
    """Add the account. One of that name is left as it is: it may be somebody's."""
    try:
        admin.call_sealed("add_staff", credentials | {"name": name, "role": role, "opd": opd})
    except RefusedRemotelyError as refusal:
        if refusal.name != "UsernameTaken":
            raise
