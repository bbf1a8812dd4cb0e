"""Commands for events (subscribe, republish, quarantine) and for the state of the stages (status, health)."""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any, Literal

import click

from nkk.client import subscribe as subscribe_to
from nkk.client import tool_of
from nkk.contracts import STAGES
from nkk.exchanges import tool_queue
from nkk.messaging import pulse
from nkk.messaging.publisher import address
from nkk.settings import NKK_BROKER_API, NKK_TOKEN_SIGNING_KEY, NKK_TOOL_URI, SettingsError
from ops import tools
from ops.broker_api import BrokerApi, BrokerApiError
from ops.cli.speaking import as_admin, broker, broker_now, calling, say
from ops.cli.webhooks import state_of_webhooks
from ops.stack import quarantine as quarantined
from ops.stack import status as stack_status
from ops.stack.staff import Admin

REPUBLISH_SECONDS = 3600
"""The timeout for a stage to mark the events to republish, which takes about a minute for a million events."""


class _Since(click.ParamType):
    """A moment in ISO 8601, in UTC unless it has an offset, or `first`."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | Literal["first"]:
        if value == "first":
            return "first"
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no moment: write 2026-11-01, 2026-11-01T08:30, 2026-11-01T08:30+07:00 or first")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command()
@click.argument("stage", type=click.Choice(STAGES))
@click.option("--as", "name", help="Name of the queue: tool.<name>.<stage>. NKK_TOOL_URI contains it.")
@click.option(
    "--since",
    type=_Since(),
    help="Begin with the past events that the stage keeps, since 2026-11-01 (UTC unless it has an offset), or from the "
    "`first`. Needs NKK_TOOL_URI.",
)
def subscribe(stage: str, name: str | None, since: datetime | Literal["first"] | None) -> None:
    """Print every event of a stage as one JSON line, from a durable queue, at least once.

    A team's tool sets NKK_TOOL_URI to the URI that `nkk tools add` printed. For amqps, NKK_TOOL_CA names the file of
    the authority that signed the broker's certificate, unless this machine trusts it. The queue collects events from
    `nkk tools add` on.

    Without NKK_TOOL_URI, the broker's own user is used (AMQP_URI, or the stack of `make run`) and --as is needed. The
    queue is made by the first run under this name, and collects events from then on.
    """
    is_given = bool(os.environ.get(NKK_TOOL_URI.name))
    uri = NKK_TOOL_URI.get() if is_given else broker("NKK_TOOL_URI to the URI that `nkk tools add` printed")
    queue = tool_queue(name or tool_of(uri) or "", stage)
    events = subscribe_to(
        stage,
        name,
        uri if is_given else broker_now,
        on_trouble=say,
        on_listening=lambda: say(f"listening to {stage} as {queue}; Ctrl-C ends it, and the queue goes on collecting"),
        since=since,
        on_progress=say,
    )
    try:
        for event in events:
            click.echo(json.dumps(event, ensure_ascii=False))
            sys.stdout.flush()
    except KeyboardInterrupt:
        return


_since = click.option(
    "--since",
    required=True,
    type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]),
    help="In UTC, such as 2026-03-02T01:30.",
)


@click.command()
@click.argument("stage", type=click.Choice(STAGES))
@_since
def republish(stage: str, since: datetime) -> None:
    """Publish a stage's events again that it published since then: another stage was restored, or the broker lost.

    Consumers ignore the events that they have handled. Events of complaints that were closed more than NKK_OUTBOX_DAYS
    ago are no longer kept.
    """
    moment = since.replace(tzinfo=UTC).isoformat()
    done = as_admin(lambda admin: admin.call("republish", moment, stage=stage, timeout=REPUBLISH_SECONDS))
    say(f"{done['count']} events of {stage} are published again")
    say(
        f"events of complaints closed before {done['reaches'][:16]} UTC are no longer kept "
        f"(NKK_OUTBOX_DAYS={done['days']})"
    )


@click.group()
def quarantine() -> None:
    """List, show, retry or drop events that a stage could not handle."""


_stage_argument = click.argument("stage", type=click.Choice(quarantined.HEARING))
_event_argument = click.argument("event_id")


@quarantine.command("list")
@_stage_argument
def list_quarantine(stage: str) -> None:
    """Print a JSON line for each event: id, type, ticket, when it failed, attempts, why."""
    found = quarantined.items(broker(), stage)
    for item in found:
        click.echo(json.dumps(item.summary(), ensure_ascii=False))
    if not found:
        say(f"the quarantine of {stage} is empty")


@quarantine.command("show")
@_stage_argument
@_event_argument
def show_quarantine(stage: str, event_id: str) -> None:
    """Print a whole event. It may hold a complaint's text."""
    click.echo(quarantined.find(broker(), stage, event_id).whole())


@quarantine.command("retry")
@_stage_argument
@click.argument("event_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every event there is.")
def retry_quarantine(stage: str, event_ids: tuple[str, ...], everything: bool) -> None:
    """Send events back to the stage, with a new count of attempts.

    Events that did not come from their owner's exchange, or whose origin is unknown, stay: see `show`.
    """
    if everything == bool(event_ids):
        raise click.UsageError("name event ids, or --all")
    sent, refused = quarantined.retry(broker(), stage, None if everything else set(event_ids))
    say(f"{len(sent)} sent back to {stage}")
    for event_id, why in refused.items():
        say(f"{event_id} stays in quarantine: {why}")
    missing = [event_id for event_id in dict.fromkeys(event_ids) if event_id not in {*sent, *refused}]
    for event_id in missing:
        say(f"{event_id}: not in the quarantine of {stage} (`nkk quarantine list {stage}`)")
    if refused:
        raise click.ClickException(
            "republish these events from the stages that own them (nkk republish), and drop them here"
        )
    if missing:
        raise click.ClickException(f"not in quarantine: {len(missing)} of these events")


@quarantine.command("drop")
@_stage_argument
@_event_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop_quarantine(stage: str, event_id: str, yes: bool) -> None:
    """Delete one event from quarantine for good."""
    found = quarantined.find(broker(), stage, event_id).summary()
    if not yes:
        say(json.dumps(found, ensure_ascii=False))
        click.confirm("The event is lost for good. Drop it?", abort=True)
    quarantined.drop(broker(), stage, event_id)
    say(f"{event_id} dropped")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def status(as_json: bool) -> None:
    """Print for each stage whether it answers, its connected instances, what waits, since when, and what failed.

    An instance counts as connected while it is connected to the broker: one that hangs, for about a minute more.
    """
    try:
        with calling(timeout=3) as client:
            rows = stack_status.rows(broker(), client)
            if os.environ.get(NKK_TOKEN_SIGNING_KEY.name):
                keys = {NKK_TOKEN_SIGNING_KEY.name: NKK_TOKEN_SIGNING_KEY.get()}
                rows = stack_status.with_unseen(rows, Admin(client, keys).call)
    except OSError as error:
        raise click.ClickException(
            f"the broker at {address(broker())} does not answer ({error}): no stage can be "
            "asked. Is it running? See its log."
        ) from None
    click.echo(json.dumps(rows, indent=1) if as_json else stack_status.table(rows))
    if not as_json and os.environ.get(NKK_BROKER_API.name):
        print_tools()
    if not as_json:
        for line in state_of_webhooks():
            click.echo(line)
    if not all(row["answers"] for row in rows):
        sys.exit(1)


def print_tools() -> None:
    """Print a line for each tool whose queue is more than half full, or that missed events."""
    try:
        api = BrokerApi(NKK_BROKER_API.get(), broker())
        for line in tools.warnings(tools.rows(api), *tools.limits(api)):
            click.echo(line)
    except (BrokerApiError, SettingsError) as error:
        say(str(error))


@click.command()
@click.argument("process", type=click.Choice([*STAGES, "gateway", "webhooks"]))
def health(process: str) -> None:
    """Exit 0 where every process of a stage, the gateway or the webhooks works on this machine or in this container."""
    if troubles := pulse.troubles(process):
        raise click.ClickException("; ".join(troubles))
