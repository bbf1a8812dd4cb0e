import pytest

from nkk.messaging.sealing import CannotOpenError, new_key_pair, seal, unseal

CONTACT = {"email": "pelapor@example.org", "catatan": "Bapak/Ibu 👍"}


def test_the_addressee_opens_what_was_sealed():
    private, public = new_key_pair()
    assert unseal(seal(CONTACT, public), private) == CONTACT


def test_nobody_else_opens_it():
    _, public = new_key_pair()
    stranger, _ = new_key_pair()
    with pytest.raises(CannotOpenError):
        unseal(seal(CONTACT, public), stranger)


def test_a_box_shows_nothing_and_never_looks_the_same_twice():
    _, public = new_key_pair()
    first, second = seal(CONTACT, public), seal(CONTACT, public)
    assert first != second
    assert "pelapor" not in first + second


def test_a_damaged_box_is_not_opened():
    private, public = new_key_pair()
    box = seal(CONTACT, public)
    damaged = box[:60] + ("A" if box[60] != "A" else "B") + box[61:]
    with pytest.raises(CannotOpenError):
        unseal(damaged, private)


@pytest.mark.parametrize("box", ["", "x", "bm8gYm94", "é", "====", None])
def test_what_is_no_box_is_not_opened(box):
    private, _ = new_key_pair()
    with pytest.raises(CannotOpenError, match=r"^the box cannot be opened with this key$"):
        unseal(box, private)


def test_a_key_that_is_none_opens_nothing():
    _, public = new_key_pair()
    with pytest.raises(CannotOpenError):
        unseal(seal(CONTACT, public), "bm8ga2V5")


def test_two_key_pairs_have_nothing_in_common():
    assert len({*new_key_pair(), *new_key_pair()}) == 4


def test_half_an_emoji_can_be_sealed_and_opened():
    private, public = new_key_pair()
    assert unseal(seal({"phone": "\ud83d"}, public), private) == {"phone": "\ud83d"}
