"""Write the broker's definitions with the password hashes of this installation.

    python render.py definitions.json /definitions/definitions.json

The repository holds the users and their permissions (definitions.json), but no password: that of `intake` is read from
RABBITMQ_INTAKE_PASSWORD, and so on, and written as a salted hash. Permissions name exchanges and queues; topic
permissions narrow them to routing keys. They separate the users of one virtual host:

- A stage receives only the events that it consumes. No stage except notification receives registrations.
- A stage receives only its own calls from `nameko-rpc`: those of others carry their callers' access tokens.
- A stage replies to calls and makes none; only the gateway makes calls.
- Only `topology` may declare the exchange of calls. Threat: another kind of exchange would ignore the routing keys.

The users of teams' tools are created by `nkk tools` (docs/tools.md); loading these definitions does not change them.

Where RabbitMQ does not check a routing key (docs/adr/0003-retry-and-quarantine.md), consumers check the origin.
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


class MissingPasswordError(Exception):
    """A required user has no password, and must not be created with an empty one."""


def password_hash(password: str) -> str:
    """Return RabbitMQ's salted SHA-256: base 64 of a 32-bit salt and the digest of salt and password."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def render(definitions: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return `definitions` with each user's hash. Raises MissingPasswordError."""
    users = []
    for user in definitions["users"]:
        variable = f"RABBITMQ_{user['name'].upper()}_PASSWORD"
        password = environment.get(variable, "")
        if password:
            users.append(
                user | {"password_hash": password_hash(password), "hashing_algorithm": "rabbit_password_hashing_sha256"}
            )
        else:
            raise MissingPasswordError(f"{variable} is not set.")
    return {**definitions, "users": users}


def main(source: str, target: str) -> None:
    """Render the file `source` into the file `target`, atomically."""
    text = json.dumps(render(json.loads(Path(source).read_text("utf-8")), os.environ), indent=1)
    part = Path(f"{target}.part")
    part.write_text(text, "utf-8")
    # The broker reads it as another user; no other container mounts the volume.
    part.chmod(0o644)
    part.rename(target)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except MissingPasswordError as missing:
        sys.exit(str(missing))
