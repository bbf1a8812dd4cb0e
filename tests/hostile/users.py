"""The broker users of an installation in containers, one for each process, on a test's virtual host."""

import importlib.util
import json
import secrets
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ops.stack.broker import PrivateNode
from ops.stack.run import WEBHOOKS
from tests.installations import QuickStack

FOLDER = Path(__file__).resolve().parents[2] / "deploy/rabbitmq"
DEFINITIONS = json.loads((FOLDER / "definitions.json").read_text())
USERS = [user["name"] for user in DEFINITIONS["users"] if user["name"] != "admin"]
"""All users but the admin, who has every permission."""

_PASSWORDS = {user["name"]: secrets.token_hex(16) for user in DEFINITIONS["users"]}


class SeparateUsers(QuickStack):
    """A stack in which each process has its own broker user."""

    def environment(self, process: str) -> dict[str, str]:
        found = super().environment(process)
        # The process of the webhooks connects with the credential of each of them.
        return found if process == WEBHOOKS else found | {"AMQP_URI": uri_of(self.amqp_uri, process)}


def create_users(node: PrivateNode, uri: str) -> None:
    """Create every user on `node`, with the permissions of deploy/ on the virtual host of `uri`."""
    spec = importlib.util.spec_from_file_location("render", FOLDER / "render.py")
    render = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(render)  # type: ignore[union-attr]
    passwords = {f"RABBITMQ_{user.upper()}_PASSWORD": password for user, password in _PASSWORDS.items()}
    text = (
        json.dumps(render.render(DEFINITIONS, passwords))
        .replace('"vhost": "nkk"', f'"vhost": {json.dumps(_vhost(uri))}')
        .replace('"vhosts": [{"name": "nkk"}]', f'"vhosts": [{{"name": {json.dumps(_vhost(uri))}}}]')
    )
    path = node.folder / f"definitions-{_vhost(uri)}.json"
    path.write_text(text)
    node.ctl("import_definitions", str(path))


def uri_of(uri: str, user: str) -> str:
    """Return `uri` with the credentials of `user`."""
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=f"{user}:{_PASSWORDS[user]}@{parts.hostname}:{parts.port}"))


def _vhost(uri: str) -> str:
    return urlsplit(uri).path[1:]
