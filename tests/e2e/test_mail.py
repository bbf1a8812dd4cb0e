"""A whole installation that sends its letters by SMTP."""

from collections import Counter
from email import message_from_bytes

from aiosmtpd.controller import Controller

from nkk.stack.broker import PrivateNode
from nkk.stack.ports import LOOPBACK, free_port
from tests.installations import eventually, installation, new_vhost
from tests.people import People, travel_as_information


class Postbox:
    """What the server took."""

    def __init__(self) -> None:
        self.subjects: list[str] = []

    async def handle_DATA(self, server, session, envelope) -> str:
        self.subjects.append(message_from_bytes(envelope.content)["Subject"])
        return "250 OK"


def test_the_reporter_gets_one_letter_on_submission_and_one_on_the_answer_by_smtp(rabbit: PrivateNode, tmp_path
                                                                                  ) -> None:
    postbox = Postbox()
    server = Controller(postbox, hostname=LOOPBACK, port=free_port())
    server.start()
    try:
        with installation(tmp_path, new_vhost(rabbit),
                          settings={"NKK_SMTP_URL": f"smtp://{LOOPBACK}:{server.port}"}) as running:
            people = People(running)
            tickets = [travel_as_information(people, people.reporter()) for _ in range(3)]
            expected = Counter(subject for ticket in tickets for subject in (
                f"Laporan Anda kami terima: {ticket}", f"Laporan {ticket} telah dijawab"))
            eventually(lambda: len(postbox.subjects) >= 6)
            people.close()
        assert Counter(postbox.subjects) == expected
        assert not list((tmp_path / "mail").glob("*.eml"))
    finally:
        server.stop()
