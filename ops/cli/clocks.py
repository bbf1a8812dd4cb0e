"""Commands that recompute clocks, write the monthly report, and check document templates."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from nkk.settings import NKK_TEMPLATES
from nkk.sop.proof import proof, read_calendars, read_facts, read_questions
from nkk.sop.recap import figures
from nkk.sop.ticket import read_ticket
from ops.cli.speaking import as_admin, say
from ops.stack.staff import Admin

NO_TICKET = (
    "One looks like NKK-2026-6GKQ-DHSZ, and its last character is a check digit: copy all of it from the receipt."
)


@click.command()
@click.argument("ticket")
def clock(ticket: str) -> None:
    """Recompute every clock of a complaint from its recorded events and the calendars that applied then."""
    written = read_ticket(ticket)
    if written is None:
        raise click.BadParameter(f"{ticket!r} is not a ticket. {NO_TICKET}", param_hint="TICKET")
    record = as_admin(lambda admin: admin.call("record", written, stage="notification"))
    (journey,) = record["journeys"]
    for line in proof(
        written,
        journey["path"],
        read_facts(journey),
        read_calendars(record["calendars"]),
        datetime.now(UTC),
        read_questions(journey),
    ):
        click.echo(line)


@click.command()
@click.argument("month")
@click.option("--format", "format_", type=click.Choice(["xlsx", "pdf"]), default="xlsx", show_default=True)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="rekap-bulanan-MONTH.FORMAT by default."
)
def report(month: str, format_: str, output: Path | None) -> None:
    """Write a month's recapitulation (such as 2026-03) to a file."""
    from gateway.documents import render  # imported only here, because it is slow to load

    def counted(admin: Admin) -> dict[str, Any]:
        def ask(closed: bool, cursor: str | None) -> dict[str, Any]:
            return admin.call("month", month, closed, cursor, stage="notification")

        return figures(month, ask, admin.call("lists"), datetime.now(UTC))

    path = output or Path(f"rekap-bulanan-{month}.{format_}")
    folder = NKK_TEMPLATES.get()
    file = render("rekap-bulanan", format_, as_admin(counted), Path(folder) if folder else None)
    try:
        path.write_bytes(file)
    except OSError as error:
        raise click.ClickException(
            f"{path} cannot be written: {error.strerror}. Name a file in a folder that is there "
            "and that you may write to, with --output."
        ) from error
    say(f"written: {path}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def templates(folder: Path) -> None:
    """Check a folder of the agency's own document templates, before NKK_TEMPLATES names it."""
    from gateway.documents import KINDS, check_templates, templates_in

    problems = check_templates(folder)
    for problem in problems:
        click.echo(problem)
    if problems:
        raise click.ClickException(f"{len(problems)} problems")
    found = [path.name for path in templates_in(folder)]
    if not found:
        names = ", ".join(f"{kind}.docx" for kind in KINDS)
        raise click.ClickException(f"there is no template in {folder}; a template is named after its document: {names}")
    others = "" if len(found) == len(KINDS) else "; every other document is made from its built-in template"
    say(f"can be used: {', '.join(found)}{others}")
