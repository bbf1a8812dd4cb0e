"""Staff accounts from the command line: whoever holds the signing key of an installation may speak as its admin."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nkk.messaging.actor import Actor, sign
from nkk.messaging.calls import RefusedRemotelyError
from nkk.messaging.rpc_client import RpcClient
from nkk.messaging.sealing import seal
from nkk.messaging.settings import as_pem
from nkk.sop.catalogue import OPDS
from nkk.sop.steps import Role
from nkk.stack.run import write_secret


class Admin:
    """Calls intake as an admin, with a token signed here and good for a few minutes."""

    def __init__(self, client: RpcClient, keys: Mapping[str, str]) -> None:
        self._client = client
        self._keys = keys

    def call(self, method: str, *args: Any) -> Any:
        """The result of intake's `method`."""
        token, _ = sign(Actor("command-line", Role.ADMIN), as_pem(self._keys["NKK_TOKEN_SIGNING_KEY"]))
        return self._client.call("intake", method, *args, context={"actor": token})

    def call_sealed(self, method: str, content: dict[str, Any]) -> Any:
        """The same with `content` sealed for intake."""
        return self.call(method, seal(content, self._keys["NKK_INTAKE_PUBLIC_KEY"]))


def ensure_demonstration_staff(admin: Admin, path: Path) -> dict[str, Any]:
    """One account for every role and one team for every OPD of the default roster, kept in `path`.

    {role: {"username", "password"}}, for the OPD teams {"opd_team": {opd: {"username", "password"}}}.
    """
    if path.exists():
        return json.loads(path.read_text())
    staff: dict[str, Any] = {
        Role.OPERATOR: _ensure(admin, "operator", "Operator Peragaan", Role.OPERATOR),
        Role.MAIN_TEAM: _ensure(admin, "tim-utama", "Tim Utama Peragaan", Role.MAIN_TEAM),
        Role.ADMIN: _ensure(admin, "admin", "Admin Peragaan", Role.ADMIN),
        Role.OPD_TEAM: {opd: _ensure(admin, f"opd-{opd}", f"Tim Pembantu {name}", Role.OPD_TEAM, opd)
                        for opd, name in OPDS.items()},
    }
    write_secret(path, json.dumps(staff, indent=1))
    return staff


def _ensure(admin: Admin, username: str, name: str, role: str, opd: str | None = None) -> dict[str, str]:
    credentials = {"username": username, "password": secrets.token_urlsafe(9)}
    try:
        admin.call_sealed("add_staff", credentials | {"name": name, "role": role, "opd": opd})
    except RefusedRemotelyError as refusal:
        if refusal.name != "UsernameTaken":
            raise
        admin.call_sealed("reset_staff", credentials)
    return credentials
