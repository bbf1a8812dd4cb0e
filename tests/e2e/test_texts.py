"""Texts in any script, with any characters, are shown at every desk as they were written."""

from typing import Any

import pytest

from nkk.sop.text import clean, one_line
from tests.installations import eventually
from tests.people import People

DATABASES = ["postgres"]

SIGNS = {
    "emoji, scripts and directions": "😀👨‍👩‍👧 e\u0301ñ \u202eעברית\u202c العربية ไทย 中文 ꦗꦮ ﷽ \u2066x\u2069",
    "markup and code": "<script>alert('x')</script><img src=x onerror=y> & &amp; \"'; DROP TABLE complaints;-- {{7*7}}",
    "escapes": r"\u0000 \ud83d \n %00 %s ${x} C:\nul ../../etc =1+1 @x" + "\tx\n\ny",
    "the longest": "",
}
OF_MANY_LINES = {"text", "note", "return_note", "response", "material"}
NAME, SUBJECT, NOTE, TEXT = 150, 200, 4_000, 20_000


def written(signs: str, length: int) -> str:
    """Return `signs`; where they are empty, a text of the maximal length with the largest characters."""
    assert len(signs) <= length
    return signs or "😀" * length


@pytest.mark.parametrize("signs", SIGNS.values(), ids=SIGNS)
def test_a_text_comes_out_at_every_desk_as_it_went_in(people: People, signs: str) -> None:
    name, note, text = written(signs, NAME), written(signs, NOTE), written(signs, TEXT)
    words = {
        "subject_line": written(signs, SUBJECT),
        "text": text,
        "place": name,
        "happened_on": name,
        "accused_name": name,
        "accused_position": name,
    }
    reporter, team = people.reporter(name=name), people.opd_team("dinas-sosial")
    ticket = people.submit(reporter, **words)
    path = f"/complaints/{ticket}"
    _shows(reporter.get(path), words)
    _shows(people.operator.get(path), words)
    assert people.operator.post(f"{path}/identity")["name"] == one_line(name)

    people.operator.post(f"{path}/handover")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    _shows(people.main_team.get(path), words)
    people.main_team.post(f"{path}/classification", {"kind": "complaint", "opd": "dinas-sosial", "note": note})
    eventually(lambda: ticket in team.desk("opd"))
    _shows(team.get(path), words | {"note": note})

    team.post(f"{path}/response", {"text": "Sudah."})
    people.main_team.act(f"{path}/approval", {"approved": False, "note": note})
    eventually(lambda: ticket in team.desk("opd"))
    _shows(team.get(path), {"return_note": note, "response": "Sudah."})
    team.post(f"{path}/response", {"text": text})
    eventually(lambda: ticket in people.main_team.desk("triage"))
    _shows(people.main_team.get(path), words | {"response": text})
    people.main_team.post(f"{path}/approval", {"approved": True, "note": note})
    eventually(lambda: ticket in people.operator.desk("answers"))
    _shows(people.operator.get(path)["answer"], {"material": text, "note": note})

    people.operator.post(f"{path}/answer", {"text": text})
    _shows(reporter.get(path), words)
    _shows(reporter.get(path)["answer"], {"text": text})
    for person, count in ((people.operator, 1), (team, 2), (people.main_team, 3)):
        notes = [entry["note"] for entry in person.get(f"{path}/timeline")["entries"] if entry["note"]]
        assert notes == [clean(note)] * count


def test_line_ends_and_surrounding_space_are_put_in_order_and_nothing_else(people: People) -> None:
    reporter = people.reporter()
    ticket = people.submit(reporter, text="  \r\nsatu\r\ndua\rtiga \n\n  empat\t\n ", place="\u00a0Loket  3\u3000")
    shown = reporter.get(f"/complaints/{ticket}")
    assert (shown["text"], shown["place"]) == ("satu\ndua\ntiga \n\n  empat", "Loket 3")


def test_what_a_word_processor_pastes_is_taken_and_comes_out_as_it_was_seen(people: People) -> None:
    reporter = people.reporter()
    ticket = people.submit(reporter, text="satu\x0bdua\x0ctiga\u2028empat\x07 cafe\u0301", place="Loket\x0b\u200b3")
    shown = reporter.get(f"/complaints/{ticket}")
    assert (shown["text"], shown["place"]) == ("satu\ndua\ntiga\nempat caf\u00e9", "Loket 3")


def _shows(view: dict[str, Any], words: dict[str, str]) -> None:
    put_in_order = {field: (clean if field in OF_MANY_LINES else one_line)(text) for field, text in words.items()}
    assert {field: view[field] for field in words} == put_in_order
