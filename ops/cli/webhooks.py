"""Commands for webhooks: add one, list them, pause, test or remove one, and run the process that sends."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from nkk.clock import utc_now
from nkk.contracts import STAGES
from nkk.exchanges import TOOL_NAME
from nkk.log import configure
from nkk.settings import (
    NKK_WEBHOOKS_ALLOWED,
    NKK_WEBHOOKS_CA,
    NKK_WEBHOOKS_KEYS,
    WEBHOOKS_DATABASE_URL,
    SettingsError,
    check,
)
from nkk.sop.clock import is_reasonable, write_instant
from ops import tools
from ops.broker_api import BrokerApi
from ops.cli import speaking
from ops.cli.speaking import say
from ops.cli.tools import api
from ops.stack.run import ROOT, WEBHOOKS, has_webhooks
from ops.stack.status import lined_up
from ops.turn import one_at_a_time
from webhooks.domain import KEPT, PATIENCE, ROTATION, State, tool_of
from webhooks.posting import Poster, resolve, trust
from webhooks.signing import new_secret
from webhooks.urls import PORTS, RefusedAddressError, check_addresses, read_url

if TYPE_CHECKING:
    from webhooks.storage import Store, Webhook

COLUMNS = {
    "name": "webhook",
    "posts_to": "posts to",
    "stage": "stage",
    "opd": "opd",
    "state": "state",
    "waiting": "events waiting",
    "oldest_seconds": "oldest (s)",
    "set_aside": "set aside",
    "dropped": "dropped",
    "last_answer": "last answer",
}

_name = click.argument("name")


@click.group()
def webhooks() -> None:
    """Post a stage's events to teams' URLs, signed: add, list, pause, test and remove webhooks."""


@webhooks.command()
@click.argument("url")
@click.option("--name", required=True, help="Name of the webhook: 1 to 35 small letters, digits and hyphens.")
@click.option("--stage", required=True, type=click.Choice(STAGES), help="The stage whose events it posts.")
@click.option("--opd", help="Only events about this OPD, by its key (GET /api/v1/opds). For triage and opd_response.")
@click.option("--types", default="", help="Only these event types, comma separated; by default all of the stage.")
def add(url: str, name: str, stage: str, opd: str | None, types: str) -> None:
    """Add a webhook, and print the secret that its receiver verifies signatures with, which is shown only once."""
    if not re.fullmatch(TOOL_NAME, name) or not re.fullmatch(TOOL_NAME, tool_of(name)):
        raise click.ClickException("a webhook's name has 1 to 35 small letters, digits and hyphens")
    origin = _checked(url)
    chosen = tuple(dict.fromkeys(type_.strip() for type_ in types.split(",") if type_.strip()))
    tool = tools.Tool(tool_of(name), stage, opd, chosen)
    tool.check()
    from webhooks.storage import Sealed  # imported here, as below: SQLAlchemy is slow to load

    broker = api()
    with one_at_a_time(broker.uri, "webhooks"), _opened(is_first=True) as store:
        if name in {each.name for each in store.all()}:
            raise click.ClickException(f"there is a webhook {name} already: take another name, or remove it")
        if _has_tool(broker, name):
            # An add or a removal that was interrupted left it: no webhook has its secret.
            tools.remove(broker, tool.name)
        sealed = Sealed(url, tools.add(broker, tool, say), new_secret())
        try:
            store.add(name, origin, stage, opd, list(chosen), sealed, utc_now())
        except BaseException:
            tools.remove(broker, tool.name)
            raise
    click.echo(sealed.secret)
    say(f"shown this once; `nkk webhooks test {name}` posts a message to try it")


def _has_tool(broker: BrokerApi, name: str) -> bool:
    return tool_of(name) in {each.name for each in tools.tools(broker)}


def _checked(url: str) -> str:
    """Return the origin of a webhook's URL, for lists. Raises ClickException where it cannot be one."""
    allowed = NKK_WEBHOOKS_ALLOWED.get()
    try:
        parts = read_url(url, allowed)
    except ValueError as fault:
        raise click.ClickException(f"the URL {fault}") from None
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        check_addresses(host, port, resolve(host, port), allowed)
    except RefusedAddressError:
        raise click.ClickException(
            f"{host} has a private address. If it is meant, name the host in NKK_WEBHOOKS_ALLOWED (docs/tools.md)."
        ) from None
    except OSError:
        say(f"no address of {host} can be found from here now: is it mistyped? The webhook works once there is one")
    return f"{parts.scheme}://{parts.netloc}"


@webhooks.command("list")
@click.option("--json", "as_json", is_flag=True, help="For a machine; with the event types too.")
def list_webhooks(as_json: bool) -> None:
    """Print for each webhook whether it sends, what waits for it and since when, and what was set aside or dropped."""
    found = []
    if _are_there():
        with _opened() as store:
            found = store.summaries(utc_now())
    click.echo(json.dumps(found, indent=1) if as_json else lined_up(COLUMNS, found))
    for line in warnings(found):
        say(line)


@webhooks.command()
@_name
def pause(name: str) -> None:
    """Stop sending. Events go on collecting."""
    with _opened() as store:
        store.pause(name)
    say(f"{name} is paused; what waits for longer than {KEPT.days} days is dropped")


@webhooks.command()
@_name
def resume(name: str) -> None:
    """Send again, at once: after a pause, after an answer of 410, or when a receiver has been mended."""
    with _opened() as store:
        store.resume(name, utc_now())
    say(f"{name} sends")


@webhooks.command()
@_name
@click.option(
    "--since", help="Since 2026-11-02 or 2026-11-02T08:30 (UTC unless it has an offset), or from the `first`."
)
@click.option("--set-aside", is_flag=True, help=f"Those that failed for {PATIENCE.days} days and were set aside.")
def replay(name: str, since: str | None, set_aside: bool) -> None:
    """Send past events again, with their ids: those of the stage since a moment, or those that were set aside."""
    if set_aside == bool(since):
        raise click.UsageError("give either --since or --set-aside")
    with _opened() as store:
        if since is None:
            say(f"{store.send_set_aside(name, utc_now())} events are sent again")
            return
        stage = store.named(name).stage
        store.request_replay(name, _instant(since), utc_now())
    which = "all events" if since == "first" else f"the events since {since}"
    say(f"{which} that {stage} keeps are sent again; `nkk webhooks list` shows how many wait")


def _instant(since: str) -> datetime | None:
    if since == "first":
        return None
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise click.BadParameter(f"{since}: write 2026-11-02, 2026-11-02T08:30, or first") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not is_reasonable(moment):
        raise click.BadParameter(f"{since} is not between the years 2000 and 2199")
    if moment > utc_now():
        raise click.BadParameter(f"{since} is in the future")
    return moment


@webhooks.command()
@_name
def test(name: str) -> None:
    """Post a signed message of the type webhook.test.v1, and print what came back."""
    with _opened() as store:
        webhook = store.named(name)
    poster = Poster(trust(NKK_WEBHOOKS_CA.get()), NKK_WEBHOOKS_ALLOWED.get())
    try:
        answer = poster.post(webhook.sealed.url, *_message(webhook))
    finally:
        poster.close()
    if answer.status is None:
        raise click.ClickException(f"nothing could be posted to {name}: {answer.why}")
    if not answer.is_success:
        raise click.ClickException(f"{name} answered {answer.why}, and not 2xx")
    say(f"{name} answered {answer.why}")


def _message(webhook: "Webhook") -> tuple[dict[str, str], bytes]:
    from webhooks.worker import signed

    id_, now = str(uuid4()), utc_now()
    envelope = {
        "specversion": "1.0",
        "id": id_,
        "source": "/nkk/webhooks",
        "type": "webhook.test.v1",
        "time": write_instant(now),
        "subject": webhook.name,
        "datacontenttype": "application/json",
        "data": {"webhook": webhook.name},
    }
    body = json.dumps(envelope, separators=(",", ":")).encode()
    return signed(webhook, id_, body, now), body


@webhooks.command()
@_name
def rotate(name: str) -> None:
    """Print a new secret. For a day both it and the former one sign, so that the receiver can change over."""
    with _opened() as store:
        click.echo(store.rotate(name, utc_now()))
    say(f"shown this once; the former secret signs too for {ROTATION.total_seconds() / 3600:g} hours")


@webhooks.command()
@_name
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Remove a webhook, with its tool and queues at the broker and with everything that waits for it."""
    from webhooks.storage import NoWebhookError

    with _opened() as store:
        broker = api()
        if not _has_tool(broker, name):
            store.named(name)
        if not yes:
            click.confirm(f"What waits for {name} is lost. Remove it?", abort=True)
        with one_at_a_time(broker.uri, "webhooks"):
            try:
                tools.remove(broker, tool_of(name))
            except tools.ToolError as gone:
                if _has_tool(broker, name):
                    raise
                say(str(gone))
            # An add that was interrupted left a tool alone.
            with suppress(NoWebhookError):
                store.remove(name)
    say(f"{name} is removed")


@webhooks.command()
def run() -> None:
    """Send, until SIGTERM: the process of all webhooks. A second one stands by until the first has ended."""
    from webhooks.process import main

    main()


def warnings(found: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each webhook that needs attention."""
    for row in found:
        name = f"webhook {row['name']}"
        if row["state"] == State.GONE:
            yield f"{name}: its receiver answered 410 and it is switched off (`nkk webhooks resume {row['name']}`)"
        elif row["state"] == State.PAUSED and row["waiting"]:
            waits = (
                "1 event waits, which is" if row["waiting"] == 1 else f"{row['waiting']} events wait, each of which is"
            )
            yield f"{name}: paused, and {waits} dropped after {KEPT.days} days (`nkk webhooks resume {row['name']}`)"
        elif row["failing_since"]:
            yield f"{name}: nothing arrives since {row['failing_since'][:16]} UTC: {row['last_answer']}"
        if row["set_aside"]:
            yield f"{name}: {row['set_aside']} set aside (`nkk webhooks replay {row['name']} --set-aside`)"
        if row["dropped"]:
            yield f"{name}: {row['dropped']} dropped after {KEPT.days} days"
        if row["trouble"]:
            yield f"{name}: {row['trouble']}"


@contextmanager
def _opened(is_first: bool = False) -> Iterator["Store"]:
    """Open the database of webhooks, which the first webhook creates."""
    from sqlalchemy.exc import SQLAlchemyError

    from nkk.store.migrations import upgrade
    from webhooks.process import opened

    there = _are_there()
    if not is_first and not there:
        raise click.ClickException("there are no webhooks yet: `nkk webhooks add` adds one")
    try:
        if is_first:
            upgrade(ROOT / WEBHOOKS / "migrations", WEBHOOKS_DATABASE_URL.get())
        with opened() as store:
            yield store
    except SQLAlchemyError as error:
        raise click.ClickException(f"the database of webhooks cannot be used: {type(error).__name__}") from None


def _are_there() -> bool:
    """Return whether there was ever a webhook. Raises SettingsError where the settings cannot be used."""
    configure()
    if not os.environ.get(WEBHOOKS_DATABASE_URL.name):
        speaking.broker()  # raises where there is no stack either
    check([WEBHOOKS_DATABASE_URL, NKK_WEBHOOKS_KEYS, NKK_WEBHOOKS_ALLOWED, NKK_WEBHOOKS_CA])
    return has_webhooks(WEBHOOKS_DATABASE_URL.get())


def state_of_webhooks() -> list[str]:
    """Return a sentence for each webhook that needs attention, where this installation has any."""
    if not os.environ.get(WEBHOOKS_DATABASE_URL.name) or not has_webhooks(WEBHOOKS_DATABASE_URL.get()):
        return []
    try:
        with _opened() as store:
            return list(warnings(store.summaries(utc_now())))
    except (click.ClickException, SettingsError) as error:
        return [str(error)]
