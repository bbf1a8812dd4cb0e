"""Fixtures for the tests of the accountant."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nkk.contracts import STAGES
from ops.stack.broker import PrivateNode
from tests.chaos.accountant import Books, broker, letters
from tests.chaos.accountant.balance import Evidence
from tests.chaos.record import Record
from tests.chaos.true_books import Copy, recorded
from tests.chaos.world import open_postbox
from tests.installations import eventually, installation, new_vhost
from tests.people import People


@pytest.fixture(scope="package")
def true_books(tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode) -> Copy:
    """The evidence of three complaints, one of them with a returned response, and all requests."""
    uri, folder = new_vhost(rabbit), tmp_path_factory.mktemp("true")
    with (
        open_postbox() as (postbox, smtp),
        installation(folder / "var", uri, settings={"NKK_SMTP_URL": smtp}) as running,
    ):
        broker.listen(uri)
        books = Books({stage: running.stack.database_url(stage) for stage in STAGES})
        overheard = [(event.stage, event.event_id) for event in books.read().told]
        people, record = People(running), Record(seed=0)
        tickets = recorded(people, record)
        eventually(lambda: books.check(tickets) is None)
        eventually(lambda: all(row["sent_at"] for row in books.read().tables["messages"]))
        pages = books.read()
        sent = letters.found(postbox.letters, pages, running.stack.keys["NKK_NOTIFICATION_PRIVATE_KEY"])
        evidence = Evidence(pages, record, overheard + broker.overheard(uri), broker.read(uri), sent)
        people.close()
    return Copy(evidence, folder / "var" / "db", tickets)


@pytest.fixture
def copy(true_books: Copy, tmp_path: Path) -> Copy:
    return replace(true_books, folder=Path(shutil.copytree(true_books.folder, tmp_path / "db")))
