import json
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, PublicKey, SealedBox

from nkk.trust.sealing import SMALLEST, CannotOpenError, new_key_pair, seal, unseal

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


PRIVATE, PUBLIC = new_key_pair()
CONTENTS = st.dictionaries(
    st.text(max_size=20),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=300),
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    ),
    max_size=9,
)


@given(CONTENTS)
def test_whatever_it_is_comes_out_as_it_was(content):
    assert unseal(seal(content, PUBLIC), PRIVATE) == content


def test_how_long_a_box_is_tells_nothing_of_what_is_short():
    lengths = {len(seal({"password": "x" * count}, PUBLIC)) for count in (1, 10, 128, 1_000, SMALLEST - 20)}
    assert len(lengths) == 1


def test_what_is_long_tells_its_length_in_steps_that_double():
    lengths = {len(b64decode(seal({"text": "x" * count}, PUBLIC))) - 48 for count in range(1, 20_000, 500)}
    assert lengths == {SMALLEST * 2**doubled for doubled in range(5)}


def test_a_box_of_before_that_was_not_padded_is_opened():
    old = SealedBox(PublicKey(b64decode(PUBLIC))).encrypt(json.dumps(CONTACT).encode())
    assert unseal(b64encode(old).decode(), PRIVATE) == CONTACT


def test_the_version_before_opens_what_is_padded():
    plain = SealedBox(PrivateKey(b64decode(PRIVATE))).decrypt(b64decode(seal(CONTACT, PUBLIC)))
    assert json.loads(plain) == CONTACT


@pytest.mark.parametrize("plain", [b"[]", b"7", b"[" * 100_000, b""])
def test_a_box_without_a_json_object_is_not_opened(plain):
    with pytest.raises(CannotOpenError):
        unseal(b64encode(SealedBox(PublicKey(b64decode(PUBLIC))).encrypt(plain)).decode(), PRIVATE)
