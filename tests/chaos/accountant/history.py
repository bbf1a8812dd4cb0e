"""The history of one complaint: everything known about it, in order."""

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.chaos.accountant.pages import Pages
from tests.chaos.record import Record


def history(ticket: str, pages: Pages, record: Record) -> str:
    """Return its requests and answers, the faults at that time, its events with their consumers, and its rows."""
    return "\n".join([f"--- {ticket}", *_happened(ticket, record), *_told(ticket, pages), *_rows(ticket, pages)])


def _happened(ticket: str, record: Record) -> Iterator[str]:
    keys = {asked.key for asked in record.asked if asked.ticket == ticket and asked.key}
    own = [asked for asked in record.asked if asked.ticket == ticket or (asked.key and asked.key in keys)]
    if not own:
        yield "no request names it"
        return
    first, last = min(asked.at for asked in own), max(asked.at + asked.took for asked in own)
    lines = [(asked.at, str(asked)) for asked in own]
    lines += [(struck.began, f"** {struck}") for struck in record.struck if struck.overlaps(first, last, 10)]
    for at, line in sorted(lines):
        yield f"{at - record.began:8.2f} s  {_clock(at)}  {line}"


def _told(ticket: str, pages: Pages) -> Iterator[str]:
    for event in (event for event in pages.told if event.subject == ticket):
        heard = [consumer for consumer, event_id in pages.heard if event_id == event.event_id]
        yield (
            f"told by {event.stage}, number {event.id}: {event.type} {event.event_id} round {event.round}, at "
            f"{event.created_at}, sent {event.sent_at}, heard by {', '.join(sorted(heard)) or 'nobody'}"
        )


def _rows(ticket: str, pages: Pages) -> Iterator[str]:
    for table in pages.tables:
        for row in pages.rows(table, ticket):
            yield f"{table}: " + ", ".join(f"{name}={value}" for name, value in row.items() if name != "ticket")


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
