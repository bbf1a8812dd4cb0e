"""A letter equals, byte for byte, what the email package makes of the same values."""

from datetime import UTC, datetime

import pytest

from bench.lettering import by_the_email_package
from services.notification.composing import LETTERS, UnwritableError, compose, recipient_of
from tests.letters import read, sender_of

KINDS = sorted(path.stem for path in LETTERS.iterdir())
WORDS = {
    "ticket": "NKK-2026-EDXY-ER30",
    "site": "https://pengaduan.example.id",
    "step": "4 (Menerima pengaduan dan memproses tanggapan yang diminta)",
    "minutes": "2 hari kerja",
    "due": "Rabu, 4 Maret 2026 pukul 08.00 WIB",
    "service_due": "Kamis, 31 Desember 2026 pukul 16.00 WIB",
    "code": "0123456789abcdef" * 2,
    "page": "https://pengaduan.example.id/atur-ulang-sandi",
    "username": "pelapor.contoh",
    "link": "https://pengaduan.example.id/atur-ulang-sandi#" + "0123456789abcdef" * 2,
    "until": "Rabu, 4 Maret 2026 pukul 09.00 WIB",
}
SENDERS = [
    "pengaduan@example.id",
    "NKK <pengaduan-nkk@example.id>",
    '"Pengaduan, Kota Contoh" <pengaduan@example.id>',
    "Pengaduan Nilai Dasar, Kode Etik dan Kode Perilaku Kota".replace(",", "") + " <pengaduan@example.id>",
    "Pengaduan Kabupaten Côte <pengaduan@example.id>",
]
NOW = datetime(2026, 3, 2, 1, 0, 5, 999, tzinfo=UTC)


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_is_what_the_email_package_makes_of_it(kind, sender):
    ours = compose(kind, "siti.r+nkk@example.id", "f" * 32, sender_of(sender), WORDS, NOW)
    theirs = by_the_email_package(kind, "siti.r+nkk@example.id", "f" * 32, sender, WORDS, NOW)
    assert ours.content == bytes(theirs)
    assert (ours.name, ours.recipient) == ("f" * 32, "siti.r+nkk@example.id")
    assert ours.sender == sender_of(sender).address


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "changed",
    [
        {"due": "Rabu " * 30, "service_due": "Rabu " * 30, "until": "Rabu " * 30},
        {"step": "2 (Singkat)"},
        {"site": "https://pengaduan.example.id/" + "sangat-panjang" * 6},
        {"ticket": "NKK-2026-0000-0000"},
        {"code_page": "https://pengaduan.example.id/akun/kode"},
    ],
)
def test_it_is_so_however_long_its_words_are(kind, changed):
    words = WORDS | changed
    ours = compose(kind, "siti@example.id", "f" * 32, sender_of("a@example.id"), words, NOW)
    assert ours.content == bytes(by_the_email_package(kind, "siti@example.id", "f" * 32, "a@example.id", words, NOW))


def test_words_beyond_ascii_are_read_as_they_were_written():
    words = WORDS | {"service_due": "Rabu, 4 März – 08.00 WIB"}
    letter = compose("received", "siti@example.id", "f" * 32, sender_of("a@example.id"), words, NOW)
    assert "4 März – 08.00 WIB" in read(letter).get_content()
    assert letter.content.isascii()


@pytest.mark.parametrize("word", ["NKK\nBcc: b@example.org", "NKK\r\n\r\nisi palsu", "NKK\x00"])
@pytest.mark.parametrize("name", ["ticket", "service_due", "site"])
def test_no_word_brings_a_header_or_a_line_of_its_own(name, word):
    with pytest.raises(ValueError, match="a line break or a control character"):
        compose("received", "siti@example.id", "f" * 32, sender_of("a@example.id"), WORDS | {name: word}, NOW)


@pytest.mark.parametrize(
    ("stored", "recipient"),
    [
        ("siti@example.id", "siti@example.id"),
        # These addresses were accepted before the current rules, and still get letters.
        ("siti@bücher.example", "siti@xn--bcher-kva.example"),
        ("siti@example.id\u200b", "siti@example.id"),
        ("root@localhost", "root@localhost"),
        ("siti@kantor", "siti@kantor"),
        ("siti@[192.0.2.1]", "siti@[192.0.2.1]"),
        ('"siti r"@example.id', '"siti r"@example.id'),
        ("jörg@example.id", "jörg@example.id"),
    ],
)
def test_an_address_that_was_stored_goes_on_being_written_to(stored, recipient):
    assert recipient_of(stored) == recipient
    assert compose("answered", stored, "f" * 32, sender_of("a@example.id"), WORDS, NOW).recipient == recipient


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "siti",
        "siti@",
        "a@example.org\nBcc: b@example.org",
        "a@x.id\r\n\r\nisi",
        "si\x01ti@example.id",
        "a@x.id, b@x.id",
        "a@x.id> b",
        "<a@x.id",
        "a b@x.id",
        '"a\nb"@x.id',
        '"a"b"@x.id',
    ],
)
def test_where_no_letter_can_go_none_is_written(stored):
    with pytest.raises(UnwritableError):
        compose("answered", stored, "f" * 32, sender_of("a@example.id"), WORDS, NOW)
