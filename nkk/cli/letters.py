"""Letters that have not left."""

import json
from collections.abc import Iterator
from typing import Any

import click

from nkk.cli.speaking import as_admin, say
from nkk.stack.staff import Admin

STAGE = "notification"
RETRY_SECONDS = 600
"""For how long the command waits while every letter that was given up is marked."""

_ids_argument = click.argument("letter_ids", nargs=-1)


@click.group()
def letters() -> None:
    """Letters that wait to be sent, or were given up."""


@letters.command("list")
@click.option("--given-up", is_flag=True, help="Only those that are not tried any more.")
def list_letters(given_up: bool) -> None:
    """One JSON line a letter: id, ticket, kind, team, when it was written, tries, why it is here, when it is tried
    again or was given up. To whom it goes is nowhere."""
    def found(admin: Admin) -> list[dict[str, Any]]:
        return list(_pages(admin, True)) + ([] if given_up else list(_pages(admin, False)))

    rows = as_admin(found)
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False))
    if not rows:
        say("no letter was given up" if given_up else "no letter waits, and none was given up")


@letters.command("retry")
@_ids_argument
@click.option("--all", "everything", is_flag=True, help="Every letter that was given up.")
def retry_letters(letter_ids: tuple[str, ...], everything: bool) -> None:
    """Send letters now, and for five days more if need be. One that was sent is not sent again."""
    if everything == bool(letter_ids):
        raise click.UsageError("name letters (`nkk letters list`), or --all")
    if everything:
        count = as_admin(lambda admin: admin.call("retry_given_up_letters", stage=STAGE, timeout=RETRY_SECONDS))
        say(f"letters tried again: {count}")
        return
    tried = as_admin(lambda admin: admin.call("retry_letters", list(letter_ids), stage=STAGE))
    say(f"letters tried again: {len(tried)}")
    _name_others(letter_ids, tried, "sent or being sent, unknown, or not kept (a code, a word to an old address)")


@letters.command("drop")
@_ids_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop_letters(letter_ids: tuple[str, ...], yes: bool) -> None:
    """Take letters out for ever, and their notice from the operator's desk: somebody was told by telephone, say."""
    if not letter_ids:
        raise click.UsageError("name letters (`nkk letters list`)")
    if not yes:
        click.confirm("These letters are lost for good. Drop them?", abort=True)
    dropped = as_admin(lambda admin: admin.call("drop_letters", list(letter_ids), stage=STAGE))
    say(f"letters dropped: {len(dropped)}")
    _name_others(letter_ids, dropped, "sent or being sent, or unknown")


def _pages(admin: Admin, given_up: bool) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = admin.call("unsent_letters", given_up, cursor, stage=STAGE)
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def _name_others(wanted: tuple[str, ...], done: list[str], why: str) -> None:
    others = sorted(set(wanted) - set(done))
    if others:
        raise click.ClickException(f"left as they are, since {why}: {', '.join(others)}")
