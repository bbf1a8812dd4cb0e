import unicodedata

import pytest

from gateway.documents.printing import rtl


def letters(text):
    """Return the text in base letters, without joined forms."""
    return unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize("text", ["", "teks biasa 123", "Жалоба ½ …"])
def test_text_from_left_to_right_is_left_alone(text):
    assert not rtl.has(text)
    assert rtl.seen(text) == text


@pytest.mark.parametrize(
    ("read", "seen"),
    [
        ("אבג", "גבא"),
        ("abc אבג def", "abc גבא def"),
        ("אב גד", "דג בא"),
        ("אב 123 גד", "דג 123 בא"),
        ("אב (גד) הו", "וה (דג) בא"),
        ("אב.", "בא."),
        ("a.ב", "a.ב"),
        ("٣٤ אב", "בא ٣٤"),
        ("אב (abc) גד", "בא (abc) דג"),
    ],
)
def test_a_line_is_brought_into_the_order_it_is_seen_in(read, seen):
    assert rtl.has(read)
    assert rtl.seen(read) == seen


def test_arabic_letters_join():
    # Seen, lam, alef, meem: seen is initial, lam and alef form a final ligature, and meem is isolated because alef does
    # not join the letter after it.
    assert rtl.seen("سلام") == "\ufee1\ufefc\ufeb3"


def test_a_single_letter_stands_alone():
    assert rtl.seen("ب") == "\ufe8f"


def test_marks_stay_on_their_letters():
    assert rtl.seen("אָב") == "באָ"
    assert rtl.seen("e\u0301 שָׁ a\u0301") == "e\u0301 שָׁ a\u0301"


@pytest.mark.parametrize("text", ["بسم الله الرحمن الرحيم", "مرحبا (abc) 12", "پنجره"])
def test_no_letter_is_lost(text):
    assert sorted(letters(rtl.seen(text))) == sorted(letters(text))
