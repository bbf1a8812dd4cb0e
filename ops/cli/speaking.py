"""Helpers of the commands: output and error messages, the broker's URI, and calls as the installation's admin."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError

from gateway import refusals
from gateway.field_faults import sentences
from nkk.log import configure
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.messaging.rpc_client import RpcClient
from nkk.settings import AMQP_URI, NKK_INTAKE_PUBLIC_KEY, NKK_TOKEN_SIGNING_KEY, check
from nkk.sop.refusals import InvalidInput, Refused
from ops.stack.run import running
from ops.stack.staff import Admin

FROM_STACK = "nkk.from_stack"
"""The key in a command's context for the names of the settings taken from the running stack."""


def say(text: str) -> None:
    """Print a message to stderr. The results of a command go to stdout."""
    click.echo(text, err=True)


def saying_and_keeping(path: Path) -> Callable[[str], None]:
    """Return a function that prints a message and appends it with its time to the file at `path`."""

    def both(text: str) -> None:
        say(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}\n")

    return both


def broker(instead: str = "AMQP_URI") -> str:
    """Return the broker's URI, from the environment or the running stack.

    Raises ClickException where there is none: it advises to set `instead`.
    """
    if not os.environ.get("AMQP_URI"):
        var = click.get_current_context().find_root().obj
        raise click.ClickException(
            f"no stack is running in {Path(var).absolute()}. Start it with `make run`, name its "
            f"folder with `nkk --var`, or set {instead}."
        )
    return AMQP_URI.get()


def broker_now() -> str:
    """Return the broker's current URI, which can have another port after a restart of the running stack."""
    context = click.get_current_context()
    found = running(context.find_root().obj) if "AMQP_URI" in context.meta.get(FROM_STACK, ()) else None
    return found["environment"]["AMQP_URI"] if found else broker()


def as_admin(act: Callable[[Admin], Any]) -> Any:
    """Return the result of `act`, called with an Admin that has the installation's keys."""
    keys = (NKK_TOKEN_SIGNING_KEY, NKK_INTAKE_PUBLIC_KEY)
    with calling(timeout=10) as client:
        check(keys)
        return act(Admin(client, {key.name: key.get() for key in keys}))


@contextmanager
def calling(timeout: float) -> Iterator[RpcClient]:
    """Yield a client of the stages. It prints no warnings: the command itself says what is wrong."""
    configure(logging.ERROR)
    client = RpcClient(broker(), timeout=timeout)
    try:
        yield client
    finally:
        client.close()


def sentence(error: BaseException) -> str:
    """Return a sentence for people that describes `error`."""
    if isinstance(error, (RefusedRemotelyError, Refused)):
        refused = refusals.sentence(error.code, error.details)
        name = error.name if isinstance(error, RefusedRemotelyError) else type(error).__name__
        if name != InvalidInput.__name__:
            return refused  # only InvalidInput needs its fields to be understood
        fields = sentences(error.details.get("fields") or {})
        return " ".join([refused, *(f"{name}: {' '.join(map(str, said))}" for name, said in fields.items())])
    if isinstance(error, StageUnavailableError):
        return f"{error}: {error.why}" if error.why else f"{error} does not answer; is it running? (`nkk status`)"
    if isinstance(error, StageFailedError):
        return f"{error.args[0]} failed; its log says why"
    if isinstance(error, (OperationalError, AMQPError)):
        said = getattr(error, "reply_text", None)
        return f"the broker refuses: {said}" if said else f"the broker does not answer: {type(error).__name__}"
    return str(error) or type(error).__name__
