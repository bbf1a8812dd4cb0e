"""The book of notes: each accepted note is there once, at its own complaint, and no refused one is there."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.commands import SUCCESS, UNKNOWN
from tests.chaos.accountant.pages import NOTING, Pages
from tests.chaos.acts import ASIDE
from tests.chaos.record import Record


def breaches(pages: Pages, record: Record) -> Iterator[Breach]:
    """Yield the notes that are lost, there twice, elsewhere than they were written, or written by nobody."""
    kept = Counter(
        (row["ticket"], row["text"])
        for stage in NOTING
        for row in pages.tables[f"{stage} notes"]
        if row["ticket"] not in pages.foreign and row["text"] != ASIDE["reason"]
    )
    sent: dict[tuple[str, str], list[int | None]] = {}
    for text, asked in record.notes.items():
        for ticket, status in asked:
            sent.setdefault((ticket, text), []).append(status)
    for ticket, text in dict.fromkeys([*kept, *sent]):
        statuses = sent.get((ticket, text), [])
        accepted = sum(status in SUCCESS for status in statuses)
        unknown = sum(status in UNKNOWN for status in statuses)
        if not accepted <= kept[ticket, text] <= accepted + unknown:
            yield Breach(
                "notes",
                ticket,
                f"'{text}' is there {kept[ticket, text]} times, accepted {accepted} times and perhaps "
                f"{unknown} times more",
            )
