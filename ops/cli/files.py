"""Commands for the files that are attached to reports and responses."""

import json
from dataclasses import asdict

import click

from gateway.files.sealing import ring_of
from gateway.files.setting_up import store_at
from nkk.settings import NKK_FILES, NKK_FILES_KEYS, NKK_UPLOAD_HOURS, check
from ops.cli.speaking import calling, say
from ops.files import Fault, Files

GRACE_HOURS = 1


@click.group()
def files() -> None:
    """Files of reports and responses, in the store of NKK_FILES."""


@files.command()
def rotate() -> None:
    """Wrap the key of every file with the first key of NKK_FILES_KEYS.

    Afterwards the other keys can be left out. No event and no byte of a file is written again.
    """
    done, failed = _files().rotate(lambda id, why: say(f"{id}: {why}"))
    say(f"{done} files got the first key")
    if failed:
        raise click.ClickException(f"{failed} files do not: keep the other keys, and run it again")


@files.command("check")
def check_files() -> None:
    """Read every file, and compare the store with what the stages have attached.

    Prints a JSON line for each file that is missing, changed or infected, with the stage that has it, or attached to
    nothing. Exits with 1 where there is any but the last kind.
    """
    store = _files()
    found: list[Fault] = []
    with calling(timeout=30) as client:
        hours = NKK_UPLOAD_HOURS.get() + GRACE_HOURS
        for fault in store.check(lambda stage, last: client.call(stage, "attached_after", last), hours):
            found.append(fault)
            click.echo(json.dumps({name: value for name, value in asdict(fault).items() if value}))
    lost = sum(fault.fault != "unattached" for fault in found)
    say(f"{lost} files that are attached are missing, changed or infected; {len(found) - lost} are attached to nothing")
    if lost:
        raise SystemExit(1)


def _files() -> Files:
    check((NKK_FILES, NKK_FILES_KEYS))
    return Files(store_at(NKK_FILES.get()), ring_of(NKK_FILES_KEYS.get()))
