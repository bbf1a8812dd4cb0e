"""Commands that run an installation on one machine, and that prepare its databases, queues, keys and settings."""

import json
import os
import signal
import sys
import time
import webbrowser
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import click

from nkk.contracts import STAGES
from nkk.settings import DATABASE_URL, NKK_BROKER_API, NKK_MAIL_FROM, NKK_SMTP_URL, Setting, check, database_of
from nkk.settings.numbers import number
from nkk.sop.ticket import read_ticket
from ops.cli.clocks import NO_TICKET
from ops.cli.speaking import as_admin, broker, say, saying_and_keeping
from ops.stack.composed import HOW, check_composed, check_written
from ops.stack.keys import new_keys, new_passwords
from ops.stack.run import ROOT, WEBHOOKS, Stack, declare_topology, read_kept, running
from ops.stack.staff import ensure_demonstration_staff

NOTIFICATION = database_of("notification").name


@click.command()
@click.option("--scale", multiple=True, metavar="STAGE=N", help="How many instances of a stage; may be repeated.")
@click.pass_obj
def run(var: Path, scale: tuple[str, ...]) -> None:
    """Start broker, databases, the four stages and the gateway; Ctrl-C ends them all."""
    # SIGINT too, which is ignored where a shell started this process in the background.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    began = time.monotonic()
    stack = Stack(var, echo=saying_and_keeping(var / "log" / "run.log"), scale=_instances(scale))
    try:
        with stack.up():
            staff = _staff(stack)
            _welcome(stack, staff, time.monotonic() - began)
            _watch(stack)
    except KeyboardInterrupt:
        say("all started processes have ended")


@click.command()
@click.argument("services", nargs=-1)
@click.pass_obj
def migrate(var: Path, services: tuple[str, ...]) -> None:
    """Migrate databases to the newest schema: <SERVICE>_DATABASE_URL, or DATABASE_URL where one service is named."""
    from nkk.store.migrations import upgrade

    known = {**{stage: ROOT / "services" / stage for stage in STAGES}, WEBHOOKS: ROOT / WEBHOOKS}
    wanted = services or STAGES
    for service in wanted:
        if service not in known:
            raise click.BadParameter(f"no such service: {service}; one of {', '.join(known)}")
    urls = {service: _database_setting(service, alone=len(services) == 1) for service in wanted}
    if missing := [url.name for url in urls.values() if not os.environ.get(url.name)]:
        raise click.ClickException(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set, and no stack is running in "
            f"{var.absolute()}. Name the database (postgresql://… or sqlite:////…), or start the stack with "
            "`make run`, which brings its databases up to date itself."
        )
    check(urls.values())
    for service, url in urls.items():
        upgrade(known[service] / "migrations", url.get())
        say(f"{service}: up to date")


def _database_setting(service: str, alone: bool) -> Setting[str]:
    """Return the setting of the service's database: its own, or DATABASE_URL where only this service is migrated."""
    own = database_of(service)
    return DATABASE_URL if alone and not os.environ.get(own.name) and os.environ.get(DATABASE_URL.name) else own


@click.command()
def topology() -> None:
    """Declare every exchange and queue, so that no event is published before its queues exist.

    With NKK_BROKER_API, the limits and the bindings of the teams' tools are brought to this version too.
    """
    for line in declare_topology(broker(), os.environ.get(NKK_BROKER_API.name) and NKK_BROKER_API.get()):
        say(line)


@click.command()
def keys() -> None:
    """Print a fresh set of keys and passwords, as an environment file."""
    for name, value in (new_keys() | new_passwords()).items():
        click.echo(f"{name}={value}")


@click.command()
@click.argument("config", type=click.File("rb"), default="-")
@click.option("--written", is_flag=True, help="Lines of a name, a tab and a value; what is missing is not looked for.")
def settings(config: BinaryIO, written: bool) -> None:
    """Check the output of `docker compose config --format json`, and name every setting that a process would refuse."""
    if config.isatty():
        raise click.UsageError(HOW)
    if written:
        check_written(config.read())
        click.echo("every written setting can be used")
        return
    check_composed(config.read())
    click.echo("every process takes its settings")


@click.command()
@click.option(
    "--open",
    "opening",
    is_flag=True,
    help="Open the site in a browser afterwards; a stack of its own then stays until Ctrl-C.",
)
@click.option(
    "--lapse",
    "lapsing",
    metavar="TICKET",
    help="Do nothing but let the open question about this complaint lapse, on a running stack that mails to nobody.",
)
@click.pass_obj
def demo(var: Path, opening: bool, lapsing: str | None) -> None:
    """Carry a few dozen complaints through the procedure over HTTP, against the running stack or one of its own."""
    if lapsing is not None:
        _lapse(var, lapsing)
        return
    found = running(var)
    if not found:
        say(f"no stack is running in {var.absolute()}: starting one for the demonstration")
    if found:
        databases = {stage: found["environment"][database_of(stage).name] for stage in STAGES}
        staff = read_kept(var / "staff.json")
        complete = _demonstrate(found["url"], staff, var, databases, opening)
        if opening:
            open_site(found["url"], var)
    else:
        stack = Stack(var, echo=say)
        with stack.up():
            databases = {stage: stack.database_url(stage) for stage in STAGES}
            complete = _demonstrate(stack.url, _staff(stack), var, databases, opening)
            if opening:
                open_site(stack.url, var)
                say("Ctrl-C ends everything")
                with suppress(KeyboardInterrupt):
                    _watch(stack)
    sys.exit(0 if complete else 1)


def _demonstrate(url: str, staff: dict[str, Any], var: Path, databases: dict[str, str], opening: bool) -> bool:
    """Run the demonstration; leave some reports at each step where the site is opened afterwards."""
    from ops.demo import journey
    from ops.demo.aging import age
    from ops.demo.lapsing import let_lapse

    lapse = partial(let_lapse, databases["notification"])
    return journey.run(
        url, staff, click.echo, var / "demo", lapse, partial(age, databases.values()) if opening else None
    )


def _lapse(var: Path, written: str) -> None:
    """Let the open question about a complaint lapse, on a stack for trying things out.

    Threat: in an office, a citizen's question would lapse before its time. An office's own processes are no stack that
    runs in a folder, and a stack whose letters leave this machine may be one.
    """
    from ops.demo.lapsing import let_lapse

    ticket = read_ticket(written)
    if ticket is None:
        raise click.BadParameter(f"{written!r} is not a ticket. {NO_TICKET}", param_hint="--lapse")
    found = running(var)
    if not found:
        raise click.ClickException(
            f"no stack is running in {var.absolute()}. Questions lapse on demand only on one that `make run` started."
        )
    if found.get("mails") is not False:
        raise click.ClickException(
            f"the stack in {var.absolute()} mails to people (NKK_SMTP_URL): there a question lapses after "
            "NKK_QUESTION_DAYS, and not before. Start one without a mail server to try it out."
        )
    if not let_lapse(found["environment"][NOTIFICATION], ticket):
        raise click.ClickException(f"no open question about {ticket} is known here; has its desk asked one?")
    say(
        f"the question about {ticket} lapses within some ten seconds; then its desk may close the report as not "
        "completed, or go on with it"
    )


def open_site(url: str, var: Path) -> None:
    """Print the site's address, and open it in a browser where there is a screen."""
    say(f"the site: {url}   (logins in {var / 'staff.json'})")
    # Without a screen, Python would start a text browser in this terminal.
    if sys.platform.startswith("linux") and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))):
        say("there is no screen here: open this address in your browser")
    elif not webbrowser.open(url):
        say("no browser could be started: open this address in your own")


def _watch(stack: Stack) -> NoReturn:
    while True:
        stack.watch_once()
        time.sleep(0.2)


def _staff(stack: Stack) -> dict[str, Any]:
    os.environ |= stack.keys | {"AMQP_URI": stack.amqp_uri}
    return as_admin(lambda admin: ensure_demonstration_staff(admin, stack.var / "staff.json"))


def _instances(scale: tuple[str, ...]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    wrong = []
    for pair in scale:
        stage, _, many = pair.partition("=")
        try:
            instances = number(1, 32)(many)
        except ValueError:
            instances = 0
        if stage in STAGES and instances and stage not in wanted:
            wanted[stage] = instances
        else:
            wrong.append(repr(pair))
    if wrong:
        raise click.BadParameter(
            f"{', '.join(wrong)}: write STAGE=N, each of {', '.join(STAGES)} once, and 1 to 32", param_hint="--scale"
        )
    return wanted


def _welcome(stack: Stack, staff: dict[str, Any], seconds: float) -> None:
    opd, team = next(iter(staff["opd_team"].items()))
    lines = [
        f"ready in {seconds:.1f} s: {stack.url}   (API {stack.url}/api/docs)",
        "",
        "logins (demonstration; all of them in " + str(stack.var / "staff.json") + "):",
        *(
            f"  {role:<10} {staff[role]['username']:<16} {staff[role]['password']}"
            for role in ("operator", "main_team", "admin")
        ),
        f"  {'opd_team':<10} {team['username']:<16} {team['password']}   ({opd}, and one for every other OPD)",
        "",
        "try:",
        f"  curl -s {stack.url}/api/v1/categories",
        f"  curl -s {stack.url}/api/v1/sessions -H 'Content-Type: application/json' \\",
        "    -d '" + json.dumps(staff["operator"]) + "'",
        "",
        *([f"letters and documents name {site} (NKK_SITE_URL)"] if (site := stack.site_url) != stack.url else []),
        f"{_mail(stack)}; logs go to {stack.var / 'log'}; Ctrl-C ends everything",
    ]
    say("\n".join(lines))


def _mail(stack: Stack) -> str:
    """Return a sentence that says where letters go."""
    environment = stack.environment("notification")
    server = NKK_SMTP_URL.get(environment)
    if server is None:
        return f"mail is kept in {environment['NKK_MAIL_DIR']} and goes to nobody (NKK_SMTP_URL is not set)"
    return f"mail goes out by {server} (NKK_SMTP_URL), from {NKK_MAIL_FROM.get(environment).header}"


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt
