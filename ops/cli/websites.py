"""Commands for the accounts of other websites, whose servers send in what their visitors report."""

import json

import click

from ops.cli.speaking import as_admin, say


@click.group()
def websites() -> None:
    """Other websites whose servers send in reports."""


@websites.command("list")
def list_websites() -> None:
    """Print a JSON line for each website: its name, and when it was added."""
    for website in as_admin(lambda admin: admin.call("websites")):
        click.echo(json.dumps(website, ensure_ascii=False))


@websites.command("add")
@click.argument("name")
def add_website(name: str) -> None:
    """Add a website, and print the secret with which its server logs in; it is shown only now."""
    click.echo(as_admin(lambda admin: admin.call_sealed("add_website", {"name": name}))["secret"])
    say(f"{name} may log in with this secret, by POST /api/v1/sessions")


@websites.command("rotate")
@click.argument("name")
def rotate_website(name: str) -> None:
    """Replace a website's secret, and print the new one. Its sessions end at once."""
    click.echo(as_admin(lambda admin: admin.call_sealed("rotate_website", {"name": name}))["secret"])
    say(f"{name} has a new secret; the old one is no longer valid")


@websites.command("remove")
@click.argument("name")
def remove_website(name: str) -> None:
    """Remove a website for good. Its sessions end at once; what it sent in stays."""
    as_admin(lambda admin: admin.call_sealed("remove_website", {"name": name}))
    say(f"{name} is removed; its name may be added again, as another website")
