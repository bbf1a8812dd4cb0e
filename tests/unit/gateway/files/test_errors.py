"""Every code of a refused file has its sentence in the API, and its words on pages in both languages."""

import pytest
from flask import Flask

from gateway.files.errors import SENTENCES, sentence
from gateway.site.files import WORDS, refusal


def test_pages_have_words_for_each_code_and_for_no_other() -> None:
    assert set(WORDS) == set(SENTENCES)


@pytest.mark.parametrize("code", SENTENCES)
def test_each_code_is_said_in_both_languages(app: Flask, code: str) -> None:
    said = {sentence(code)}
    for language in ("id", "en"):
        with app.test_request_context(headers={"Cookie": f"nkk_language={language}"}):
            said.add(refusal(code))
    assert len(said) >= 2
    assert not any("%(" in words or "{" in words or not words.endswith(".") for words in said)


def test_a_code_of_a_later_version_is_named(app: Flask) -> None:
    assert sentence("something-new") == "Refused: something-new."
    with app.test_request_context():
        assert refusal("something-new") == refusal("not-taken")
