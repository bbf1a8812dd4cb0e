"""The book of recusals: who stepped aside is known to every stage, once, and why is a note of one desk."""

from collections import Counter
from collections.abc import Iterator

from nkk.contracts import STAGES
from tests.chaos.accountant import joins
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages
from tests.chaos.acts import ASIDE, RECUSED


def breaches(pages: Pages) -> Iterator[Breach]:
    """Yield what a stage does not know, or knows and nobody told, and reasons that are lost or there twice."""
    for stage in STAGES:
        table = f"{stage} recusals"
        for ticket in {*pages.journeys, *pages.tickets(table)}:
            told = Counter(event.data["account"] for event in pages.of(ticket, RECUSED))
            known = Counter(row["whom"] for row in pages.rows(table, ticket))
            if known != told:
                yield Breach(table, ticket, f"{known.total()} accounts stepped aside, told {told.total()} times")
    groups = joins.groups(pages)
    for ticket in pages.tickets("triage notes"):
        reasons = sum(row["text"] == ASIDE["reason"] for row in pages.rows("triage notes", ticket))
        told_of = len(pages.of(ticket, RECUSED))
        # Joined reports are hidden together, and the reason stands at one of them.
        if reasons > told_of or (reasons < told_of and ticket not in groups):
            yield Breach("triage notes", ticket, f"{reasons} reasons to step aside, told {told_of} times")
