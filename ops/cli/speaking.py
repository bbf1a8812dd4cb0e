"""How the commands speak: to the person, to the broker, as the installation's admin."""

import os
from collections.abc import Callable
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
"""Under this a command's context holds the names of the settings that came from the stack that runs beside us."""


def say(text: str) -> None:
    """Tell the person; what a command gives out goes elsewhere."""
    click.echo(text, err=True)


def saying_and_keeping(path: Path) -> Callable[[str], None]:
    """Say it, and keep it with its time for whoever was not watching."""

    def both(text: str) -> None:
        say(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}\n")

    return both


def broker() -> str:
    """The broker's URI, from the environment or the stack that runs beside us."""
    if not os.environ.get("AMQP_URI"):
        var = click.get_current_context().find_root().obj
        raise click.ClickException(
            f"no stack is running in {Path(var).absolute()}. Start it with `make run`, name its "
            "folder with `nkk --var`, or set AMQP_URI."
        )
    return AMQP_URI.get()


def broker_now() -> str:
    """The same as it is now: a stack that was started again beside us may have its broker at another port."""
    context = click.get_current_context()
    found = running(context.find_root().obj) if "AMQP_URI" in context.meta.get(FROM_STACK, ()) else None
    return found["environment"]["AMQP_URI"] if found else broker()


def as_admin(act: Callable[[Admin], Any]) -> Any:
    """What `act` gives, done as the admin that holds the keys of this installation."""
    configure()
    uri, keys = broker(), (NKK_TOKEN_SIGNING_KEY, NKK_INTAKE_PUBLIC_KEY)
    check(keys)
    client = RpcClient(uri, timeout=10)
    try:
        return act(Admin(client, {key.name: key.get() for key in keys}))
    finally:
        client.close()


def sentence(error: BaseException) -> str:
    """What went wrong, for a person."""
    if isinstance(error, (RefusedRemotelyError, Refused)):
        refused = refusals.sentence(error.code, error.details)
        name = error.name if isinstance(error, RefusedRemotelyError) else type(error).__name__
        if name != InvalidInput.__name__:
            return refused  # which says it whole, whatever fields it names
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
