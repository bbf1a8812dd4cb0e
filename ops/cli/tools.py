"""Commands for the teams' own tools: add one, list them, give one a new secret, remove one."""

import json

import click

from nkk.contracts import STAGES
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.settings import NKK_BROKER_API
from ops import tools as known
from ops.broker_api import BrokerApi
from ops.cli.speaking import broker, calling, say
from ops.stack.status import lined_up
from webhooks.domain import TOOL_PREFIX

COLUMNS = {
    "name": "tool",
    "stage": "stage",
    "opd": "opd",
    "connected": "connected",
    "waiting": "events waiting",
    "oldest_seconds": "oldest (s)",
    "dropped": "dropped",
    "replay_waiting": "replay waiting",
}


@click.group()
def tools() -> None:
    """Add, list and remove the teams' own tools, which subscribe to a stage's events, and renew their secrets."""


_name = click.argument("name")


@tools.command()
@_name
@click.option("--stage", required=True, type=click.Choice(STAGES), help="The stage whose events it receives.")
@click.option("--opd", help="Only events about this OPD, by its key (GET /api/v1/opds). For triage and opd_response.")
@click.option("--types", default="", help="Only these event types, comma separated; by default all of the stage.")
def add(name: str, stage: str, opd: str | None, types: str) -> None:
    """Add a tool, and print the URI with which it connects. It contains the tool's secret, and is shown only once.

    The tool's queue collects events from now on, whether the tool is connected or not.
    """
    if name.startswith(TOOL_PREFIX):
        raise click.ClickException(f"{TOOL_PREFIX}… are the tools of webhooks, which `nkk webhooks add` makes")
    chosen = tuple(dict.fromkeys(type_.strip() for type_ in types.split(",") if type_.strip()))
    tool = known.Tool(name, stage, opd, chosen)
    tool.check()
    if opd:
        _warn_of_unknown(opd)
    secret = known.add(api(), tool, say)
    click.echo(known.connection_line(broker(), tool, secret))
    received = ", ".join(sorted(key for _, key in tool.bindings()))
    say(f"shown this once; from now on it collects in {tool.queue}: {received}")
    say(f"NKK_TOOL_URI='the URI above' nkk subscribe {stage}")


@tools.command("list")
@click.option("--json", "as_json", is_flag=True, help="For a machine; with the event types too.")
def list_tools(as_json: bool) -> None:
    """Print for each tool whether it is connected, what waits for it and since when, and what was dropped lately.

    The age of the oldest event is shown only while the tool is not connected.
    """
    found = known.rows(api())
    click.echo(json.dumps(found, indent=1) if as_json else lined_up(COLUMNS, found))
    for line in known.warnings(found, *known.limits(api())):
        say(line)
    for row in found:
        if not row["whole"]:
            say(
                f"tool {row['name']}: its user or its bindings are not those that it was added with: `nkk topology` "
                f"mends the bindings, and `nkk tools rotate {row['name']}` makes a user that is missing"
            )
    for queue in known.left_over(api()):
        say(f"{queue} belongs to no tool: `nkk tools add` with its name and stage takes it over, `remove` deletes it")


@tools.command()
@_name
def rotate(name: str) -> None:
    """Give a tool a new secret and close its connections. What waits for it stays."""
    if name.startswith(TOOL_PREFIX):
        raise click.ClickException(
            f"{name} is a webhook's, which has its secret: a new one would lock it out. The secret of its signatures: "
            f"`nkk webhooks rotate {name.removeprefix(TOOL_PREFIX)}`"
        )
    tool, secret = known.rotate(api(), name)
    click.echo(known.connection_line(broker(), tool, secret))
    say("shown this once; the former secret is refused from now on")


@tools.command()
@_name
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Disconnect a tool at once, and delete its user and its queues with what waits in them."""
    queues = known.what_goes(api(), name)
    if not yes:
        say(f"{name} is cut off, and what waits in its queues is lost ({', '.join(queues) or 'there are none'})")
        click.confirm("Remove it?", abort=True)
    waiting = known.remove(api(), name)
    say(f"{name} is removed; {waiting} events waited for it")


def api() -> BrokerApi:
    """Return the broker's management API, from the environment or the running stack. Raises SettingsError."""
    uri = broker()
    return BrokerApi(NKK_BROKER_API.get(), uri)


def _warn_of_unknown(opd: str) -> None:
    try:
        with calling(timeout=3) as client:
            roster = client.call("intake", "lists")["opds"]
    except (StageUnavailableError, StageFailedError, RefusedRemotelyError, OSError):
        return
    if opd not in roster:
        say(f"the OPD {opd} is not on the roster: complaints can be forwarded to it only once it is")
