"""What brokers of all kinds have in common: a URI, a password that is kept, and a moment from which they answer."""

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kombu import Connection

START_SECONDS = 120
STOP_SECONDS = 30

Echo = Callable[[str], None]


class NoBrokerError(Exception):
    """No RabbitMQ broker can be found or started; the message says what to do."""


@dataclass(frozen=True)
class Broker:
    """A broker at `uri`, with its management API at `api` where that is known.

    `look_after` must be called regularly. It restarts a broker of our own that has died, or raises NoBrokerError.
    """

    uri: str
    api: str = ""
    look_after: Callable[[], None] = lambda: None


def kept_password(folder: Path) -> str:
    """Return the password of the broker in `folder`, generated once.

    It must not change: by a key derived from it, stages authenticate the origin of events that wait for a retry.
    """
    if not (folder / "password").exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_new(folder / "password", secrets.token_hex(16))
    return (folder / "password").read_text()


def write_new(path: Path, content: str) -> None:
    """Write a file that is not there yet, for its owner's eyes only."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)


def must_be_recent(version: str) -> None:
    """Raise NoBrokerError below RabbitMQ 3.10, which brought TTL and at-least-once dead letters to quorum queues."""
    if [int(part) for part in version.split(".")[:2] if part.isdigit()] < [3, 10]:
        raise NoBrokerError(f"RabbitMQ 3.10 or newer is needed; this is {version or 'something else'}.")


def wait_until_ready(uri: str, alive: Callable[[], bool]) -> None:
    """Wait until the broker at `uri` answers. Raises NoBrokerError where it has died, is too old or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with Connection(uri, connect_timeout=2) as connection:
                connection.connect()
                must_be_recent(connection.connection.server_properties.get("version", ""))
                return
        except NoBrokerError:
            raise
        except Exception as error:
            if time.monotonic() > deadline or not alive():
                raise NoBrokerError(f"The broker does not answer: {type(error).__name__}") from error
            time.sleep(0.2)


def with_tls(at: str, certificate: str, key: str) -> str:
    """Return the lines of rabbitmq.conf for a listener with TLS."""
    return (
        f"listeners.ssl.1 = {at}\n"
        f"ssl_options.certfile = {certificate}\nssl_options.keyfile = {key}\n"
        # The certificates that are sent along are those of this file: the chain stands behind the certificate.
        f"ssl_options.cacertfile = {certificate}\n"
        "ssl_options.verify = verify_none\nssl_options.fail_if_no_peer_cert = false\n"
        "ssl_options.versions.1 = tlsv1.3\nssl_options.versions.2 = tlsv1.2\n"
    )
