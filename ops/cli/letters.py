"""Commands for unsent letters."""

import json
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import click

from ops.cli.speaking import as_admin, say
from ops.stack.staff import Admin

STAGE = "notification"
RETRY_SECONDS = 600
"""The timeout for the retry of all letters that were given up."""

FREE_SECONDS, PAUSE = 10, 0.5
"""How long the command waits for letters in sending, and the pause between its attempts. Most only share a batch of up
to twenty with a letter in sending, and are put back within a few seconds."""

_ids_argument = click.argument("letter_ids", nargs=-1)

WHY_LEFT = {
    "sent": "it was sent before, and no letter is sent twice",
    "being_sent": "it is being sent at this moment; see the outcome in `nkk letters list` later",
    "dropped": "it was dropped and cannot be restored",
    "not_kept": "its text was deleted when it was given up (a code, or a notice to an old address)",
    "unknown": "there is no letter with this id; `nkk letters list` shows those that wait or were given up",
}


@click.group()
def letters() -> None:
    """List, retry or drop letters that wait to be sent, or were given up."""


@letters.command("list")
@click.option("--given-up", is_flag=True, help="Only those that are not tried any more.")
def list_letters(given_up: bool) -> None:
    """Print a JSON line for each letter: id, ticket, kind, team, when it was written, tries, why it is here, when it
    is tried again or was given up. The recipient is never shown."""

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
    """Try letters again, for up to five more days. A letter that was sent is not sent again."""
    if everything == bool(letter_ids):
        raise click.UsageError("name letters (`nkk letters list`), or --all")
    if everything:
        count = as_admin(lambda admin: admin.call("retry_given_up_letters", stage=STAGE, timeout=RETRY_SECONDS))
        say(f"letters retried: {count}")
        return
    done, left = _once_free("retry_letters", letter_ids)
    say(f"letters retried: {done}")
    _name_others(left)


@letters.command("drop")
@_ids_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop_letters(letter_ids: tuple[str, ...], yes: bool) -> None:
    """Delete letters for good, and their notice at the operator's desk, for example after a telephone call."""
    if not letter_ids:
        raise click.UsageError("name letters (`nkk letters list`)")
    if not yes:
        click.confirm("These letters are lost for good. Drop them?", abort=True)
    done, left = _once_free("drop_letters", letter_ids)
    say(f"letters dropped: {done}")
    _name_others(left)


def _once_free(method: str, letter_ids: tuple[str, ...]) -> tuple[int, dict[str, str]]:
    """Apply `method` to letters, and return the number done, and why the others are not.

    Letters in sending are tried again until they are sent or free, for at most FREE_SECONDS.
    """

    def ask(admin: Admin) -> tuple[int, dict[str, str]]:
        until, wanted = monotonic() + FREE_SECONDS, list(letter_ids)
        done, left = 0, dict.fromkeys(letter_ids, "")
        while True:
            outcome = admin.call(method, wanted, stage=STAGE)
            done += len(outcome["done"])
            left = {id_: outcome["left"].get(id_, why) for id_, why in left.items() if id_ not in outcome["done"]}
            wanted = [id_ for id_, why in left.items() if why == "being_sent"]
            if not wanted or monotonic() > until:
                return done, left
            sleep(PAUSE)

    return as_admin(ask)


def _pages(admin: Admin, given_up: bool) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = admin.call("unsent_letters", given_up, cursor, stage=STAGE)
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def _name_others(left: dict[str, str]) -> None:
    if left:
        raise click.ClickException(
            "\n".join(["not changed:", *(f"  {letter}: {WHY_LEFT[why]}" for letter, why in left.items())])
        )
