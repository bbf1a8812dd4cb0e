"""`nkk`: run the whole on one machine, and look after it."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError

from nkk.client import subscribe as subscribe_to
from nkk.contracts import STAGES
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.messaging.log import configure
from nkk.messaging.migrations import upgrade
from nkk.messaging.publisher import BROKER_ERRORS
from nkk.messaging.rpc_client import RpcClient
from nkk.messaging.settings import MissingSettingError, required
from nkk.stack import quarantine as quarantined
from nkk.stack import status as stack_status
from nkk.stack.broker import NoBrokerError
from nkk.stack.keys import new_keys, new_passwords
from nkk.stack.run import ROOT, NotReadyError, OccupiedError, Stack, declare_topology, running
from nkk.stack.staff import Admin, ensure_demonstration_staff

TROUBLE: tuple[type[Exception], ...] = (
    MissingSettingError, NoBrokerError, NotReadyError, OccupiedError, StageUnavailableError, StageFailedError,
    RefusedRemotelyError, *BROKER_ERRORS, ValueError,
)


class Group(click.Group):
    """Says what went wrong in a sentence, not in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever read our output has enough; click ends quietly
        except TROUBLE as error:
            raise click.ClickException(_sentence(error)) from error


@click.group(cls=Group)
@click.option("--var", type=click.Path(path_type=Path, file_okay=False), default=Path("var"), show_default=True,
              envvar="NKK_VAR", help="Where a stack on this machine keeps its data.")
@click.pass_context
def main(context: click.Context, var: Path) -> None:
    """The NKK complaint service: run it on one machine, and look after it anywhere.

    Settings come from the environment (AMQP_URI, …); beside a stack started by `nkk run` they are found by themselves.
    """
    context.obj = var
    found = running(var)
    if found:
        for name, value in found["environment"].items():
            os.environ.setdefault(name, value)


@main.command()
@click.option("--scale", multiple=True, metavar="STAGE=N", help="How many instances of a stage; may be repeated.")
@click.pass_obj
def run(var: Path, scale: tuple[str, ...]) -> None:
    """Start broker, databases, the four stages and the gateway; Ctrl-C ends them all."""
    # SIGINT too: a shell that starts us in the background has it ignored.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    began = time.monotonic()
    stack = Stack(var, echo=_saying_and_keeping(var / "log" / "run.log"), scale=_instances(scale))
    try:
        with stack.up():
            staff = _staff(stack)
            _welcome(stack, staff, time.monotonic() - began)
            while True:
                stack.supervisor.watch_once()
                time.sleep(0.2)
    except KeyboardInterrupt:
        _say("everything it started has ended")


@main.command()
@click.argument("services", nargs=-1)
def migrate(services: tuple[str, ...]) -> None:
    """Bring databases to their newest shape: <SERVICE>_DATABASE_URL, or DATABASE_URL where one service is named."""
    for service in services or STAGES:
        if service not in STAGES:
            raise click.BadParameter(f"no such service: {service}; one of {', '.join(STAGES)}")
        named = os.environ.get(f"{service.upper()}_DATABASE_URL")
        url = named or required("DATABASE_URL" if len(services) == 1 else f"{service.upper()}_DATABASE_URL")
        upgrade(ROOT / "services" / service / "migrations", url)
        _say(f"{service}: up to date")


@main.command()
def topology() -> None:
    """Declare every exchange and queue, so that no event is told before somebody can hear it."""
    for name in declare_topology(_broker()):
        _say(name)


@main.command()
@click.argument("stage", type=click.Choice(STAGES))
@click.option("--as", "name", required=True, help="Name of your tool: its queue is tool.<name>.<stage>.")
def subscribe(stage: str, name: str) -> None:
    """Print every event of a stage as one JSON line, from a durable queue, at least once.

    The queue holds what is told from the first time on that you subscribe under this name.
    """
    uri = _broker()
    _say(f"listening to {stage} as tool.{name}.{stage}; Ctrl-C ends it, and the queue goes on collecting")
    try:
        for event in subscribe_to(stage, name, uri, on_trouble=_say):
            click.echo(json.dumps(event, ensure_ascii=False))
            sys.stdout.flush()
    except KeyboardInterrupt:
        return


@main.group()
def staff() -> None:
    """Staff accounts."""


def _password_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.password_option(help="Asked for where left out.")(command)


@staff.command("list")
def list_staff() -> None:
    """One JSON line an account: user name, name, role, OPD, since when disabled or locked."""
    def pages(admin: Admin) -> list[dict[str, Any]]:
        page = admin.call("staff")
        accounts = page["items"]
        while page["next"]:
            page = admin.call("staff", page["next"])
            accounts += page["items"]
        return accounts

    for account in _as_admin(pages):
        click.echo(json.dumps(account, ensure_ascii=False))


@staff.command("add")
@click.argument("username")
@click.option("--name", required=True, help="Shown to other staff.")
@click.option("--role", required=True, type=click.Choice(["operator", "main_team", "opd_team", "admin"]))
@click.option("--opd", help="Key of the OPD, for an opd_team.")
@_password_option
def add_staff(username: str, name: str, role: str, opd: str | None, password: str) -> None:
    """Add a staff account."""
    account = {"username": username, "name": name, "role": role, "opd": opd, "password": password}
    _as_admin(lambda admin: admin.call_sealed("add_staff", account))
    _say(f"{username} may log in as {role}")


@staff.command("disable")
@click.argument("username")
def disable_staff(username: str) -> None:
    """Bar a staff account; it is out within 15 minutes."""
    _as_admin(lambda admin: admin.call_sealed("disable_staff", {"username": username}))
    _say(f"{username} is disabled; access tokens it still has end within 15 minutes")


@staff.command("reset")
@click.argument("username")
@_password_option
def reset_staff(username: str, password: str) -> None:
    """Give a staff account a new password, unlocked and enabled; its sessions end."""
    _as_admin(lambda admin: admin.call_sealed("reset_staff", {"username": username, "password": password}))
    _say(f"{username} has a new password")


@main.command("tell-again")
@click.argument("stage", type=click.Choice(STAGES))
@click.option("--since", required=True, type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]),
              help="In UTC, such as 2026-03-02T01:30.")
def tell_again(stage: str, since: datetime) -> None:
    """Publish again what a stage told since then: another was restored, or the broker lost. Nobody handles it twice."""
    moment = since.replace(tzinfo=UTC).isoformat()
    count = _as_admin(lambda admin: admin.call("tell_again", moment, stage=stage))
    _say(f"{count} events of {stage} are told again")


@main.group()
def identity() -> None:
    """The encrypted identities of reporters."""


@identity.command("rotate")
def rotate_identities() -> None:
    """Put every identity under the first key of NKK_IDENTITY_KEYS; afterwards older keys may be taken away."""
    def rotate(admin: Admin) -> int:
        after, total = "", 0
        while True:
            done = admin.call("reencrypt", after)
            total += done["count"]
            if done["last"] is None:
                return total
            after = done["last"]

    _say(f"{_as_admin(rotate)} identities are under the newest key")


@main.group()
def quarantine() -> None:
    """Events that a stage could not handle."""


_stage_argument = click.argument("stage", type=click.Choice(quarantined.HEARING))
_event_argument = click.argument("event_id")


@quarantine.command("list")
@_stage_argument
def list_quarantine(stage: str) -> None:
    """One JSON line an event: id, type, ticket, when it failed, attempts, why."""
    found = quarantined.items(_broker(), stage)
    for item in found:
        click.echo(json.dumps(item.summary(), ensure_ascii=False))
    if not found:
        _say(f"nothing is in the quarantine of {stage}")


@quarantine.command("show")
@_stage_argument
@_event_argument
def show_quarantine(stage: str, event_id: str) -> None:
    """One event, whole: its envelope may hold a complaint's text."""
    click.echo(quarantined.find(_broker(), stage, event_id).whole())


@quarantine.command("retry")
@_stage_argument
@click.argument("event_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every event there is.")
def retry_quarantine(stage: str, event_ids: tuple[str, ...], everything: bool) -> None:
    """Send events back to the stage, their attempts counted anew."""
    if everything == bool(event_ids):
        raise click.UsageError("name event ids, or --all")
    count = quarantined.retry(_broker(), stage, None if everything else set(event_ids))
    _say(f"{count} sent back to {stage}")
    if event_ids and count != len(set(event_ids)):
        raise click.ClickException("some of these events are not in quarantine")


@quarantine.command("drop")
@_stage_argument
@_event_argument
@click.confirmation_option(prompt="The event is lost for good. Drop it?")
def drop_quarantine(stage: str, event_id: str) -> None:
    """Take one event out of quarantine for ever."""
    quarantined.drop(_broker(), stage, event_id)
    _say(f"{event_id} dropped")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def status(as_json: bool) -> None:
    """For each stage: does it answer, how many instances, what waits, since when, what failed."""
    client = RpcClient(_broker(), timeout=3)
    try:
        rows = stack_status.rows(_broker(), client)
    finally:
        client.close()
    click.echo(json.dumps(rows, indent=1) if as_json else stack_status.table(rows))
    if not all(row["answers"] for row in rows):
        sys.exit(1)


@main.command()
@click.argument("stage", type=click.Choice(STAGES))
def health(stage: str) -> None:
    """Exit 0 where instances of a stage listen for its calls and events."""
    if not stack_status.listens(_broker(), stage):
        raise click.ClickException(f"no instance of {stage} listens")


@main.command()
def keys() -> None:
    """Print a fresh set of keys and passwords, as an environment file."""
    for name, value in (new_keys() | new_passwords()).items():
        click.echo(f"{name}={value}")


@main.command()
@click.pass_obj
def demo(var: Path) -> None:
    """Carry a few dozen complaints through the procedure over HTTP, against the running stack or one of its own."""
    from nkk.demo import journey

    found = running(var)
    if not found:
        _say(f"no stack is running in {var.absolute()}: starting one for the demonstration")
    if found:
        complete = journey.run(found["url"], json.loads((var / "staff.json").read_text()), click.echo)
    else:
        stack = Stack(var, echo=_say)
        with stack.up():
            complete = journey.run(stack.url, _staff(stack), click.echo)
    sys.exit(0 if complete else 1)


def _staff(stack: Stack) -> dict[str, Any]:
    os.environ |= stack.keys | {"AMQP_URI": stack.amqp_uri}
    return _as_admin(lambda admin: ensure_demonstration_staff(admin, stack.var / "staff.json"))


def _as_admin(act: Callable[[Admin], Any]) -> Any:
    configure()
    client = RpcClient(_broker(), timeout=10)
    try:
        return act(Admin(client, {name: required(name) for name in ("NKK_TOKEN_SIGNING_KEY", "NKK_INTAKE_PUBLIC_KEY")}))
    finally:
        client.close()


def _instances(scale: tuple[str, ...]) -> dict[str, int]:
    wanted = {}
    for pair in scale:
        stage, _, number = pair.partition("=")
        if stage not in STAGES or not number.isdigit() or not 1 <= int(number) <= 32:
            raise click.BadParameter(f"{pair!r}: write STAGE=N, a stage of {', '.join(STAGES)} and 1 to 32",
                                     param_hint="--scale")
        wanted[stage] = int(number)
    return wanted


def _welcome(stack: Stack, staff: dict[str, Any], seconds: float) -> None:
    opd, team = next(iter(staff["opd_team"].items()))
    lines = [
        f"ready in {seconds:.1f} s: {stack.url}   (API {stack.url}/api/docs)",
        "",
        "logins (demonstration; all of them in " + str(stack.var / "staff.json") + "):",
        *(f"  {role:<10} {staff[role]['username']:<16} {staff[role]['password']}"
          for role in ("operator", "main_team", "admin")),
        f"  {'opd_team':<10} {team['username']:<16} {team['password']}   ({opd}, and one for every other OPD)",
        "",
        "try:",
        f"  curl -s {stack.url}/api/v1/categories",
        f"  curl -s {stack.url}/api/v1/sessions -H 'Content-Type: application/json' \\",
        "    -d '" + json.dumps(staff["operator"]) + "'",
        "",
        f"mail goes to {stack.var / 'mail'}, logs to {stack.var / 'log'}; Ctrl-C ends everything",
    ]
    _say("\n".join(lines))


def _say(text: str) -> None:
    click.echo(text, err=True)


def _saying_and_keeping(path: Path) -> Callable[[str], None]:
    """Say it, and keep it with its time for whoever was not watching."""
    def say(text: str) -> None:
        _say(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}\n")

    return say


def _broker() -> str:
    """The broker's URI, from the environment or the stack that runs beside us."""
    if not os.environ.get("AMQP_URI"):
        var = click.get_current_context().find_root().obj
        raise click.ClickException(f"no stack is running in {Path(var).absolute()}. Start it with `make run`, name its "
                                   "folder with `nkk --var`, or set AMQP_URI.")
    return required("AMQP_URI")


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _sentence(error: BaseException) -> str:
    if isinstance(error, RefusedRemotelyError):
        fields = error.details.get("fields") or {}
        return " ".join([error.sentence, *(f"{name}: {' '.join(map(str, said))}" for name, said in fields.items())])
    if isinstance(error, StageUnavailableError):
        return f"{error} does not answer; is it running? (`nkk status`)"
    if isinstance(error, StageFailedError):
        return f"{error.args[0]} failed; its log says why"
    if isinstance(error, (OperationalError, AMQPError)):
        said = getattr(error, "reply_text", None)
        return f"the broker refuses: {said}" if said else f"the broker does not answer: {type(error).__name__}"
    return str(error) or type(error).__name__
