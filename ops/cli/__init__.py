"""The command `nkk`: run an installation on one machine and operate it. Each group of commands has a module."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from gateway.documents import TemplateError
from gateway.files.stores import StoreError
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.messaging.publisher import BROKER_ERRORS
from nkk.settings import SettingsError
from nkk.sop.refusals import Refused
from ops.broker_api import BrokerApiError
from ops.cli import accounts, clocks, events, files, letters, running, tools, webhooks, websites
from ops.cli.speaking import FROM_STACK, sentence
from ops.stack.ready import NoBrokerError
from ops.stack.run import NotReadyError, OccupiedError
from ops.stack.run import running as running_stack

TROUBLE: tuple[type[Exception], ...] = (
    SettingsError,
    NoBrokerError,
    NotReadyError,
    OccupiedError,
    StageUnavailableError,
    StageFailedError,
    RefusedRemotelyError,
    Refused,
    TemplateError,
    BrokerApiError,
    StoreError,
    *BROKER_ERRORS,
    ValueError,
)


class Group(click.Group):
    """A command group that reports expected errors in a sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # the reader of the output has closed it; click exits quietly
        except TROUBLE as error:
            raise click.ClickException(sentence(error)) from error


@click.group(cls=Group)
@click.option(
    "--var",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    envvar="NKK_VAR",
    help="Where a stack on this machine keeps its data.",
)
@click.version_option(package_name="nkk", prog_name="nkk", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context, var: Path) -> None:
    """The NKK complaint service: run it on one machine, and look after it anywhere.

    Settings come from the environment (AMQP_URI, …), or from a stack that `nkk run` started beside.
    """
    context.obj = var
    if os.getpid() == 1:
        # The kernel does not deliver signals without a handler to a container's first process.
        signal.signal(signal.SIGTERM, _end)
    found = running_stack(var)
    if found:
        missing = {name: value for name, value in found["environment"].items() if name not in os.environ}
        context.meta[FROM_STACK] = set(missing)
        os.environ |= missing


def _end(number: int, _frame: Any) -> None:
    sys.exit(128 + number)


for command in (
    running.run,
    running.demo,
    running.migrate,
    running.topology,
    running.keys,
    running.settings,
    events.subscribe,
    events.status,
    events.health,
    events.quarantine,
    events.republish,
    letters.letters,
    files.files,
    tools.tools,
    webhooks.webhooks,
    accounts.staff,
    accounts.identity,
    websites.websites,
    clocks.clock,
    clocks.report,
    clocks.templates,
):
    main.add_command(command)
