"""Commands for staff accounts, and for the encryption of reporters' identities."""

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from nkk.messaging.calls import RefusedRemotelyError
from ops.cli.speaking import as_admin, say, sentence
from ops.stack.staff import Admin


@click.group()
def staff() -> None:
    """Staff accounts."""


def _password_option(command: Callable[..., Any]) -> Callable[..., Any]:
    said = "Asked for where left out; a line of the input, where that is no terminal."
    return click.option("--password", callback=_password, help=said)(command)


def _password(_context: click.Context, _option: click.Parameter, given: str | None) -> str:
    if given is not None:
        return given
    if sys.stdin.isatty():
        return click.prompt("Password", hide_input=True, confirmation_prompt=True)
    # Read without click's prompt, which would warn that the password is echoed.
    try:
        line = sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except ValueError:
        raise click.UsageError("the password on the input is not UTF-8 text") from None
    if not line:
        raise click.UsageError("no password: give one with --password, or on the first line of the input")
    return line


@staff.command("list")
def list_staff() -> None:
    """Print a JSON line for each account: user name, name, role, OPD, since when disabled, until when slowed down."""

    def pages(admin: Admin) -> list[dict[str, Any]]:
        page = admin.call("staff")
        accounts = page["items"]
        while page["next"]:
            page = admin.call("staff", page["next"])
            accounts += page["items"]
        return accounts

    for account in as_admin(pages):
        click.echo(json.dumps(account, ensure_ascii=False))


@staff.command("add")
@click.argument("username")
@click.option("--name", required=True, help="Shown to other staff.")
@click.option("--role", required=True, type=click.Choice(["operator", "main_team", "opd_team", "admin"]))
@click.option("--opd", help="Key of the OPD, for an opd_team: GET /api/v1/opds, or the admin's page Perangkat daerah.")
@click.option("--nip", help="The person's NIP: complaints about this person are hidden from the account.")
@_password_option
def add_staff(username: str, name: str, role: str, opd: str | None, nip: str | None, password: str) -> None:
    """Add a staff account."""
    account = {"username": username, "name": name, "role": role, "opd": opd, "password": password}
    account |= {"nip": nip} if nip else {}

    def add(admin: Admin) -> None:
        try:
            admin.call_sealed("add_staff", account)
        except RefusedRemotelyError as refusal:
            if "opd" not in refusal.details.get("fields", {}):
                raise
            keys = ", ".join(admin.call("lists")["opds"])
            raise click.ClickException(f"{sentence(refusal)} The keys are: {keys}") from refusal

    as_admin(add)
    say(f"{username} may log in as {role}")


@staff.command("nip")
@click.argument("username")
@click.argument("nip", required=False)
def set_staff_nip(username: str, nip: str | None) -> None:
    """Set the NIP of an account's person, or remove it where none is given. The person has to log in again.

    Complaints about this person are hidden from the account: at the operator's desk at once, at the teams' within 15
    minutes.
    """
    as_admin(lambda admin: admin.call_sealed("set_staff_nip", {"username": username, "nip": nip}))
    say(f"the NIP of {username} is {'set' if nip else 'removed'}")


@staff.command("disable")
@click.argument("username")
def disable_staff(username: str) -> None:
    """Disable a staff account; it is refused everywhere within 15 minutes."""
    as_admin(lambda admin: admin.call_sealed("disable_staff", {"username": username}))
    say(f"{username} is disabled; its access tokens end within 15 minutes")


@staff.command("reset")
@click.argument("username")
@_password_option
def reset_staff(username: str, password: str) -> None:
    """Give a staff account a new password. It is enabled, no longer slowed down, and its sessions end."""
    as_admin(lambda admin: admin.call_sealed("reset_staff", {"username": username, "password": password}))
    say(f"{username} has a new password")


@staff.command("let-in")
@click.argument("username")
def let_staff_in(username: str) -> None:
    """End the slow-down of a staff account after wrong passwords."""
    as_admin(lambda admin: admin.call_sealed("let_staff_in", {"username": username}))
    say(f"{username} may log in now; for an hour, wrong passwords slow down only those who send them")


@click.group()
def identity() -> None:
    """The encrypted identities of reporters."""


@identity.command("rotate")
def rotate_identities() -> None:
    """Encrypt every identity with the first key of NKK_IDENTITY_KEYS; older keys can be removed afterwards."""

    def rotate(admin: Admin) -> int:
        after, total = "", 0
        while True:
            done = admin.call("reencrypt", after)
            total += done["count"]
            if done["last"] is None:
                return total
            after = done["last"]

    say(f"{as_admin(rotate)} identities are encrypted with the newest key")
