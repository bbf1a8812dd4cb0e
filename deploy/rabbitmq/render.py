"""Writes the broker's definitions with the password hashes of this installation.

    python render.py definitions.json /definitions/definitions.json

The repository holds users and what each may do (definitions.json), never a password: that of `intake` comes from
RABBITMQ_INTAKE_PASSWORD, and so on, and leaves as a salted hash. Permissions name exchanges and queues; topic
permissions narrow them to routing keys. They keep apart what one virtual host holds together:

- A stage hears only the events it is a consumer of. None but notification can hear of registrations, no tool either.
- A stage takes only its own calls off `nameko-rpc`: others' carry their callers' access tokens.
- A stage answers calls and makes none; only the gateway calls.
- Nobody but `topology` declares the exchange of calls: another kind of exchange in its place would know no such keys.

Where RabbitMQ does not ask for a key (docs/adr/0003-retry-and-quarantine.md), those who consume look for themselves.
"""

import base64
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OPTIONAL = {"tooling"}
"""Users an installation may do without: no password, no user."""


class MissingPasswordError(Exception):
    """A user has no password; it must not be created with an empty one."""


def password_hash(password: str) -> str:
    """RabbitMQ's salted SHA-256: base 64 of a 32-bit salt and the digest of salt and password."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def render(definitions: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """`definitions` with each user's hash, without those left out. Raises MissingPasswordError."""
    users = []
    for user in definitions["users"]:
        variable = f"RABBITMQ_{user['name'].upper()}_PASSWORD"
        password = environment.get(variable, "")
        if password:
            users.append(
                user | {"password_hash": password_hash(password), "hashing_algorithm": "rabbit_password_hashing_sha256"}
            )
        elif user["name"] not in OPTIONAL:
            raise MissingPasswordError(f"{variable} is not set.")
    names = {user["name"] for user in users}
    granted = {
        kind: [grant for grant in definitions[kind] if grant["user"] in names]
        for kind in ("permissions", "topic_permissions")
    }
    return {**definitions, "users": users, **granted}


def main(source: str, target: str) -> None:
    """Render `source` into `target`, whole or not at all."""
    text = json.dumps(render(json.loads(Path(source).read_text("utf-8")), os.environ), indent=1)
    part = Path(f"{target}.part")
    part.write_text(text, "utf-8")
    # The broker reads it as another user; nobody else has the volume.
    part.chmod(0o644)
    part.rename(target)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except MissingPasswordError as missing:
        sys.exit(str(missing))
