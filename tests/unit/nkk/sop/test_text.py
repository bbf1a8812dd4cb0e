import unicodedata
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nkk.sop import text
from nkk.sop.mailbox import canonical, postbox_of
from nkk.sop.ticket import read_part, read_ticket

ENGLAND = "".join(chr(0xE0000 + ord(sign)) for sign in "gbeng\x7f")
"""The tags that turn a black flag into England's."""

ANY = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("satu\x0bdua", "satu\ndua"),
        ("satu\x0cdua", "satu\ndua"),
        ("satu\x85dua", "satu\ndua"),
        ("satu\u2028dua\u2029tiga", "satu\ndua\ntiga"),
        ("satu\r\ndua\rtiga", "satu\ndua\ntiga"),
        ("a\x07\x00b", "ab"),
        ("kolom\tkolom", "kolom\tkolom"),
        ("  tepi \n", "tepi"),
        ("cafe\u0301", "caf\u00e9"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("baris\n\n  menjorok", "baris\n\n  menjorok"),
        ("hanya\u200bsela", "hanya\u200bsela"),
    ],
)
def test_a_pasted_text_keeps_what_is_seen(pasted, kept):
    assert text.clean(pasted) == kept


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("Siti\u00a0Contoh", "Siti Contoh"),
        ("Siti\x0bContoh", "Siti Contoh"),
        ("\ufeffSiti\u200b Contoh\u200e", "Siti Contoh"),
        ("Siti  \t Contoh", "Siti Contoh"),
        ("ber\u00adpisah", "berpisah"),
        ("\u202eSiti", "Siti"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Dinas\u2800\u2800Sosial\u2800", "Dinas Sosial"),
        ("Siti\ufe0f Contoh\U000e0101", "Siti Contoh"),
        ("Si\U000e0073ti\U000e0001\ufff3", "Siti"),
        ("\ufe0f1\ufe0f", "1"),
        ("❤\ufe0f ⚠\ufe0e", "❤\ufe0f ⚠\ufe0e"),
        ("❤\u200b\ufe0f\ufe0f", "❤\ufe0f"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("ℹ\ufe0f‼\ufe0f〰\ufe0f", "ℹ\ufe0f‼\ufe0f〰\ufe0f"),
        ("👩\u200d❤\ufe0f\u200d👩", "👩\u200d❤\ufe0f\u200d👩"),
        ("🏴" + ENGLAND, "🏴" + ENGLAND),
        ("🚩" + ENGLAND, "🚩"),
    ],
)
def test_a_name_stands_on_one_line_and_holds_nothing_invisible(pasted, kept):
    assert text.one_line(pasted) == kept


@pytest.mark.parametrize(
    "written",
    [
        "19900101 201505 1 001",
        "19900101.201505.1.001",
        "19900101-201505-1-001",
        "19900101\u00a0201505\u00a01\u00a0001",
        "19900101\u2013201505\u20131\u2013001",
        "１９９００１０１２０１５０５１００１",
        "\u200b199001012015051001\u202c",
        "NIP. 19900101 201505 1 001",
        "NIP: 199001012015051001",
        "nik 199001012015051001",
        "No. NIK: 199001012015051001",
        "'199001012015051001",
        "199001012015051001,",
        "199001012015051001.",
        "\u2019199001012015051001",
        "NIP：１９９００１０１２０１５０５１００１",
    ],
)
def test_a_number_is_its_digits_however_it_is_written(written):
    assert text.digits(written) == "199001012015051001"


@pytest.mark.parametrize(
    "unseen",
    [
        "",
        "\u200b",
        "\u3164",
        "\u00a0\u2003",
        "\u2060\ufeff",
        "\u200d",
        "\u2800",
        "\ufe0f",
        "\u0301",
        "\u20dd \u093e",
        ENGLAND,
        "\U000e0100",
        "\U000e0fff",
        "\ufff0",
        "\u180b",
        "\U0001d159",
    ],
)
def test_what_nobody_can_see_is_empty(unseen):
    assert text.is_empty(unseen)


@pytest.mark.parametrize("seen", ["a", ".", "1", "❤\ufe0f", "\u28ff", "e\u0301", "\u0635", "漢", "👍🏽"])
def test_what_somebody_can_see_is_not_empty(seen):
    assert not text.is_empty(seen)


UNSEEN = st.text("\u200b\u2060\u00ad\U000e0041\U000e007f\U000e0101\ufe00\ufe0f\u3164\ufff4", min_size=1)


@given(st.lists(st.sampled_from(["Siti", "Contoh,", "7", "é"]), min_size=1), st.lists(UNSEEN, min_size=9, max_size=9))
def test_what_nobody_sees_tells_no_names_apart(words, unseen):
    name = " ".join(words)
    strewn = "".join(sign + hidden for sign, hidden in zip(name, unseen * len(name), strict=False))
    assert text.one_line(strewn) == name
    assert text.is_empty(unseen[0])


@pytest.mark.parametrize(
    "written",
    [
        "Dinas Sosial",
        "DINAS\u00a0SOSIAL",
        "dinas\u200b sosial",
        "Dinas\u2800Sosial\ufe0f",
        "\uff24inas Sosial",
        "Di\u200dnas Sosial",
    ],
)
def test_names_that_look_the_same_are_compared_as_one(written):
    assert text.alike(written) == text.alike("Dinas Sosial")
    assert text.alike(written) != text.alike("Dinas Sosial 2")


@given(ANY)
@example("\u0344\u0301")
@example("\x1f a \x85")
def test_what_was_made_a_text_stays_as_it_is(anything):
    for made in (text.clean, text.one_line, text.code, text.digits, text.password, text.user_name, text.copied):
        once = made(anything)
        assert made(once) == once


@given(ANY)
def test_no_text_holds_a_control_sign_but_line_ends_and_tabs(anything):
    assert {sign for sign in text.clean(anything) if unicodedata.category(sign) == "Cc"} <= {"\n", "\t"}
    assert "\n" not in text.one_line(anything)


@given(st.text("abc äöü漢字\n"))
def test_what_is_plain_already_is_kept(plain):
    assert text.clean(plain) == plain.strip()


@pytest.mark.parametrize("made", [text.clean, text.one_line, text.code])
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
@example("  two  spaces  ")
def test_what_is_on_a_plain_keyboard_is_made_what_it_is_made_beside_other_signs(made, typed):
    assert made(f"é {typed}") == f"é {made(f'x {typed}')[2:]}".strip()


@pytest.mark.parametrize(
    "typed",
    [
        "caf\u00e9 di pasar",
        "cafe\u0301 di pasar",
        "caf\u00e9\u00a0di\u2003pasar",
        "caf\u00e9\u200b di pasar\ufeff",
        "caf\u00e9\tdi pasar",
    ],
)
def test_a_password_is_the_same_from_every_keyboard(typed):
    assert text.password(typed) == "caf\u00e9 di pasar"


@pytest.mark.parametrize("typed", [" tepi ", "HURUF besar", "\ufb01\uff11\u00b2", "dua  spasi", "mati\u200cganda"])
def test_of_a_password_nothing_is_changed_that_can_be_told_apart(typed):
    assert text.password(typed) == typed


@pytest.mark.parametrize(
    "typed", ["warga-baru", " Warga-Baru ", "warga\u2011baru", "\uff57arga-baru", "warga-\u200bbaru\u200e"]
)
def test_a_user_name_is_one_however_it_is_typed(typed):
    assert text.user_name(typed) == "warga-baru"


@pytest.mark.parametrize(
    "copied", ["a1b2c3", "A1B2 C3", "a1b2-\nc3", "a1\u00adb2\u2010c3", "\u200ba1b2\u00a0c3", "\uff411b2c3"]
)
def test_a_code_from_a_letter_is_one_however_it_was_copied(copied):
    assert text.copied(copied) == "a1b2c3"


LONGEST_BODY = 256 * 1024
"""The bytes of a request's body: a text can be as long as this before its length is checked."""

MARKS = "\u0327\u0301"
"""Two combining marks in the wrong order. Composing sorts a run of them, in quadratic time."""


@pytest.mark.parametrize(
    "read",
    [
        text.clean,
        text.alike,
        text.digits,
        text.user_name,
        text.copied,
        text.password,
        text.isolated,
        text.is_empty,
        read_ticket,
        read_part,
        canonical,
        postbox_of,
    ],
)
@pytest.mark.parametrize(
    "unit", ["@", "@ ", "a ", MARKS, MARKS[::-1], f"a{MARKS * 20}", "\u0344", "\ufdfa", "\u1100\u1161"]
)
def test_no_text_that_a_request_can_hold_takes_long(read, unit):
    began = process_time()
    read(unit * (LONGEST_BODY // len(unit.encode())))
    assert process_time() - began < 3


def test_every_mark_there_is_is_one_of_a_run():
    marks = [chr(number) for number in range(0x110000) if unicodedata.combining(chr(number))]
    assert [sign for sign in marks if text.clean("a" + sign * 99) == "a" + sign * 99] == []


@given(st.integers(0, 90), st.text(st.sampled_from(MARKS + "a\u0344"), max_size=90))
def test_of_a_run_of_marks_as_many_are_kept_as_anybody_sees(before, written):
    kept = text.clean("a" + MARKS[0] * before + written)
    runs = "".join("m" if unicodedata.combining(sign) else " " for sign in unicodedata.normalize("NFD", kept)).split()
    assert max(map(len, runs), default=0) <= 2 * text.MOST_MARKS
    assert text.clean(kept) == kept


@pytest.mark.parametrize("word", ["Việt Nam", "क्षि", "a" + "\u0301" * 20, "שָׁלוֹם", "ཧཱུྃ"])
def test_words_of_any_script_have_fewer_and_keep_them_all(word):
    assert text.clean(unicodedata.normalize("NFD", word)) == unicodedata.normalize("NFC", word)
