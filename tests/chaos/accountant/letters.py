"""The book of letters: the mail server got every letter that was due, and no letter repeats another."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from nkk.sop.journey import ABANDONED, REOPENED
from services.notification.keyed import Keyed
from services.notification.storage import letter_id
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages

MARKED_SECONDS = 5.0
"""How long after it was sent a letter is marked as sent at the latest, where no fault is in the way."""

OF_QUESTIONS = ("question", "question_lapsed")
"""The kinds of letters of which there may be several about one complaint."""


@dataclass(frozen=True)
class Letter:
    """One letter as received, `at` seconds since the epoch. A second copy has the same `id`: its Message-ID, or the id
    of its row after `found`."""

    at: float
    id: str
    to: str
    subject: str


def found(letters: Iterable[Letter], pages: Pages, private_key: str) -> list[Letter]:
    """Return `letters` with the ids of their rows, which only notification can derive from a Message-ID.

    The row of a letter about a question may have been dropped.
    """
    keyed = Keyed(private_key)
    ids = [*(row["id"] for row in pages.tables["messages"]), *_about_questions(pages)]
    rows = {keyed.message_id(id_): id_ for id_ in ids}
    return [replace(letter, id=rows.get(letter.id, letter.id)) for letter in letters]


def breaches(pages: Pages, letters: Iterable[Letter], excused: Callable[[float, float], bool]) -> Iterator[Breach]:
    """Yield missing and repeated letters. `excused` returns whether something between two times kept the mailer from
    marking what it had sent."""
    copies: dict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        copies[letter.id].append(letter)
    written = {row["id"]: row for row in pages.tables["messages"]}
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    for id_, same in copies.items():
        said[same[0].to, same[0].subject].append(id_)
    for (to, subject), ids in said.items():
        # After an objection the second answer is told in the words of the first.
        of = {written[id_]["ticket"] for id_ in ids if id_ in written}
        # Each question, and each lapse, is told in the same words; the book of questions counts those.
        ids = [id_ for id_ in ids if id_ not in written or written[id_]["kind"] not in OF_QUESTIONS]
        # What a desk closed may go on, because it was taken back from that desk before, and may be closed again.
        closings = max([1, *(len(pages.of(ticket, ABANDONED)) for ticket in of)])
        if len(ids) > closings + sum(len(pages.of(ticket, REOPENED)) for ticket in of):
            yield Breach("letters", subject, f"written to {to} {len(ids)} times")
    for same in copies.values():
        if len(same) > 1 and not excused(same[0].at, same[-1].at):
            yield Breach(
                "letters", same[0].subject, f"sent {len(same)} times, and nothing had kept it from being marked as sent"
            )
    for row in written.values():
        if row["given_up_at"] is not None:
            yield Breach("letters", row["ticket"], f"its letter '{row['kind']}' was given up")
        elif row["sent_at"] is None:
            yield Breach("letters", row["ticket"], f"its letter '{row['kind']}' is not sent")
        elif row["id"] not in copies:
            yield Breach("letters", row["ticket"], f"its letter '{row['kind']}' is marked as sent and never came")
    about_questions = _about_questions(pages)
    for id_, same in copies.items():
        if id_ in written:
            continue
        # One that could not be marked as sent is dropped where its question has ended by then. That there is one about
        # each open question, the book of questions knows.
        if id_ not in about_questions or not excused(same[0].at, same[-1].at + MARKED_SECONDS):
            yield Breach("letters", same[0].subject, "came, and nobody wrote it")


def _about_questions(pages: Pages) -> set[str]:
    """Return the ids that letters about questions have, or had."""
    return {letter_id(row["id"], "question") for row in pages.tables["questions"]}
