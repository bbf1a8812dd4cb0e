import json
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from nacl.public import PublicKey, SealedBox

from nkk.messaging.boxes import LIFETIME, Question, StaleBoxError, UnreadableBoxError, open_box
from nkk.messaging.calls import StageFailedError
from nkk.trust.actor import Actor
from nkk.trust.sealing import new_key_pair, seal, unseal
from tests.boxes import PROOF, proved

PRIVATE, PUBLIC = new_key_pair()
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
FORM = {"username": "pelapor", "password": "rahasia-sekali-42"}
ACTOR = Actor("reporter-1", "reporter")


def question(**changed):
    return Question(**{"method": "log_in", "content": FORM, "key": PUBLIC, "now": NOW} | changed)


def opened(box, method="log_in", now=NOW):
    return open_box(box, PRIVATE, method, now)


def changed(**parts):
    """Return a box with some parts of its content changed; those set to ... are left out."""
    held = unseal(question().box, PRIVATE) | parts
    return seal({name: value for name, value in held.items() if value is not ...}, PUBLIC)


def test_what_was_asked_is_read_and_the_answer_comes_back():
    asked = question()
    call = opened(asked.box)
    assert (call.content, call.sealed_at, call.used) == (FORM, NOW, False)
    assert asked.answer(call.answered({"session": "s"})) == {"session": "s"}
    assert asked.answer(call.answered(None)) is None


def test_no_two_boxes_have_a_nonce_or_a_reply_key_in_common():
    one, other = opened(question().box), opened(question().box)
    assert {one.nonce, one.reply_key} & {other.nonce, other.reply_key} == set()


@pytest.mark.parametrize("age", [LIFETIME, -LIFETIME, timedelta(0)])
def test_a_box_is_good_for_half_a_minute_whichever_clock_is_ahead(age):
    assert opened(question().box, now=NOW + age).content == FORM


@pytest.mark.parametrize("age", [timedelta(seconds=30, microseconds=1), timedelta(days=365)])
@pytest.mark.parametrize("ahead", [1, -1])
def test_an_older_box_is_refused_and_one_of_the_future_too_with_both_times(age, ahead):
    now = NOW + ahead * age
    with pytest.raises(StaleBoxError) as refused:
        opened(question().box, now=now)
    assert NOW.isoformat() in refused.value.why
    assert now.isoformat() in refused.value.why


def test_a_box_for_another_method_is_refused():
    with pytest.raises(UnreadableBoxError, match="another method"):
        opened(question().box, method="renew")


@pytest.mark.parametrize("box", [None, "", "x", 7, [], {}, ["a"], "bm8gYm94", "é", "\ud83d", "A" * 100_000])
def test_what_is_no_box_is_refused(box):
    with pytest.raises(UnreadableBoxError):
        opened(box)


def test_a_damaged_box_is_refused():
    box = question().box
    for at in range(0, len(box) - 4, 97):
        with pytest.raises(UnreadableBoxError):
            opened(box[:at] + ("A" if box[at] != "A" else "B") + box[at + 1 :])


def test_a_box_for_somebody_else_is_refused():
    with pytest.raises(UnreadableBoxError):
        opened(question(key=new_key_pair()[1]).box)


def test_a_box_of_the_version_before_which_held_the_content_alone_is_refused():
    with pytest.raises(UnreadableBoxError, match="the same version"):
        opened(seal(FORM, PUBLIC))


@pytest.mark.parametrize(
    "parts",
    [
        *({name: ...} for name in ("method", "content", "reply_key", "proof", "nonce", "sealed_at")),
        *(
            {name: value}
            for name in ("method", "content", "reply_key", "nonce", "sealed_at")
            for value in (None, 7, ["a"], "", "x", "\x00" * 30, "\ud83d" * 30)
        ),
        {"proof": 7},
        {"proof": ["a"]},
        {"reply_key": b64encode(bytes(31)).decode()},
        *(
            {"sealed_at": text}
            for text in (
                "0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59-23:59",
                "2026-03-02T01:00:00",
                "0001-01-01T00:00:00+23:59",
            )
        ),
    ],
    ids=str,
)
def test_a_box_that_holds_anything_else_is_refused(parts):
    with pytest.raises((UnreadableBoxError, StaleBoxError)):
        opened(changed(**parts))


@pytest.mark.parametrize("plain", [b"[]", b"null", b"7", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b"NaN"])
def test_a_box_that_holds_no_json_object_is_refused(plain):
    with pytest.raises(UnreadableBoxError):
        opened(b64encode(SealedBox(PublicKey(b64decode(PUBLIC))).encrypt(plain)).decode())


def test_what_a_later_version_adds_to_a_box_is_ignored():
    assert opened(changed(more="x")).content == FORM


def test_a_box_is_good_beside_the_access_token_of_whoever_sealed_it_alone():
    opened(question(proof=PROOF).box).check_caller(proved(ACTOR))
    for box, actor in (
        (question(proof=PROOF).box, ACTOR),
        (question(proof="another").box, proved(ACTOR)),
        (question().box, proved(ACTOR)),
        (question().box, ACTOR),
        (question(proof="").box, ACTOR),
        (question(proof=PROOF).box, replace(ACTOR, proof_hash=PROOF)),
        (question(proof="\ud83d").box, proved(ACTOR)),
    ):
        with pytest.raises(UnreadableBoxError, match="access token"):
            opened(box).check_caller(actor)


def test_an_answer_for_another_question_and_one_in_the_clear_are_no_answers():
    asked, call = question(), opened(question().box)
    for answer in (
        call.answered({"session": "s"}),
        None,
        "x",
        {"session": "s"},
        7,
        seal({"session": "s"}, PUBLIC),
        opened(asked.box).answered({})[:-8],
    ):
        with pytest.raises(StageFailedError):
            asked.answer(answer)


LOG_INS = [{"username": "ani", "password": "p"}, {"username": "u" * 64, "password": "😀" * 128}]
REGISTRATIONS = [
    {
        "kind": "public",
        "identity_number": "1971014107900001",
        "name": "A",
        "email": "a@b.id",
        "username": "ani",
        "password": "rahasia-42",
    },
    {
        "kind": "civil_servant",
        "identity_number": "197101410790000123",
        "name": "ꦏ" * 150,
        "email": "e" * 254,
        "phone": "+" + "0" * 19,
        "username": "u" * 64,
        "password": "😀" * 128,
    },
]


@pytest.mark.parametrize("forms", [LOG_INS, REGISTRATIONS])
def test_every_form_that_is_accepted_makes_a_box_of_one_length(forms):
    boxes = [question(content=form).box for form in forms] + [question(content=forms[0], proof="0" * 64).box]
    assert len({len(box) for box in boxes}) == 1


def test_every_session_makes_an_answer_of_one_length():
    call = opened(question().box)
    sessions = [
        {"access_token": "x" * 600, "role": role, "opd": opd, "refresh_token": "y" * 43}
        for role, opd in (("reporter", None), ("opd_team", "d" * 64), ("main_team", None))
    ]
    assert len({len(call.answered(session)) for session in sessions}) == 1


def test_nothing_of_what_was_asked_can_be_read_off_its_box():
    box = question(proof=PROOF).box
    assert [word for word in ("log_in", "pelapor", *FORM.values(), PROOF, json.dumps(FORM)) if word in box] == []
