"""An installation that sends its letters by SMTP."""

import json
import re
import uuid
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller

from ops.stack.broker import PrivateNode
from ops.stack.ports import LOOPBACK, free_port
from tests.e2e.test_clocks import nkk
from tests.installations import eventually, installation, new_vhost
from tests.people import People, travel_as_information


class Postbox:
    """An SMTP handler that keeps the letters it accepted."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.unknown = ""

    @property
    def subjects(self) -> list[str]:
        return [letter["Subject"] for letter in self.letters]

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address == self.unknown:
            return f"550 5.1.1 <{address}>: no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


def test_the_reporter_gets_one_letter_on_submission_one_on_the_answer_and_a_code_that_works_by_smtp(
    rabbit: PrivateNode, tmp_path
) -> None:
    postbox = Postbox()
    server = Controller(postbox, hostname=LOOPBACK, port=free_port())
    server.start()
    try:
        with installation(
            tmp_path, new_vhost(rabbit), settings={"NKK_SMTP_URL": f"smtp://{LOOPBACK}:{server.port}"}
        ) as running:
            people = People(running)
            tickets = [travel_as_information(people, people.reporter()) for _ in range(3)]
            expected = Counter(
                subject
                for ticket in tickets
                for subject in (f"Laporan Anda kami terima: {ticket}", f"Laporan {ticket} telah dijawab")
            )
            eventually(lambda: len(postbox.subjects) >= 6)
            assert Counter(postbox.subjects) == expected
            _forget_password(people, postbox)
            _write_to_nobody(people, postbox)
            people.close()
        assert len(postbox.letters) == 8
        assert not list((tmp_path / "mail").glob("*.eml"))
    finally:
        server.stop()


def _forget_password(people: People, postbox: Postbox) -> None:
    username = people.reporter(email="lupa@example.id").account["username"]
    assert people.anyone.ask("POST", "/password-resets", {"username": username}).status_code == 202
    letter = eventually(lambda: next((one for one in postbox.letters if one["To"] == "lupa@example.id"), None))
    # By SMTP the lines end with CRLF.
    code = re.search(r"/atur-ulang-sandi#(\S+)\s", letter.get_content())[1]
    form = {"token": code, "password": "sandi yang baru 42"}
    assert people.anyone.ask("POST", "/password-resets/completion", form).status_code == 204
    people.log_in(username, "sandi yang baru 42")


def _write_to_nobody(people: People, postbox: Postbox) -> None:
    """A rejected letter is listed on its case and for the operator, and sent once when it is retried and accepted."""
    postbox.unknown = "tidak-ada@example.id"
    ticket = people.submit(people.reporter(email=postbox.unknown))

    def undelivered() -> list[str]:
        listed = people.operator.ask("GET", "/desks/answers/undelivered").json()["items"]
        case = people.operator.ask("GET", f"/complaints/{ticket}").json()["undelivered"]
        assert [letter for letter in listed if letter["ticket"] == ticket] == case
        return [letter["kind"] for letter in case]

    eventually(lambda: undelivered() == ["received"])
    (letter,) = [json.loads(line) for line in nkk(people.installation, "letters", "list").stdout.splitlines()]
    assert (letter["ticket"], letter["why"]) == (ticket, "RCPT 550 5.1.1")
    rows = json.loads(nkk(people.installation, "status", "--json").stdout)
    assert [row["letters_given_up"] for row in rows if row["stage"] == "notification"] == [1]
    assert nkk(people.installation, "letters", "drop", "--yes", str(uuid.uuid4())).returncode == 1
    postbox.unknown = ""
    for arguments in ([letter["id"]], [letter["id"]], ["--all"]):
        nkk(people.installation, "letters", "retry", *arguments)
        eventually(lambda: f"Laporan Anda kami terima: {ticket}" in postbox.subjects)
    assert undelivered() == []
