"""Every sentence of the pages has an English translation, and the catalogue has no others."""

import gettext
import re

from tests.current.translations import FOLDER, compiled, extracted, kept

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
HOW = "run `make translations`, then translate in messages.po and run it again"


def as_tuple(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_the_catalogue_holds_the_sentences_of_the_pages_and_no_others() -> None:
    ours = {message.id for message in extracted() if message.id}
    assert len(ours) > 300, "the extraction sees the templates"
    assert {message.id for message in kept() if message.id} == ours, HOW


def test_every_sentence_is_translated_and_none_is_a_guess() -> None:
    assert [
        message.id for message in kept() if message.id and (message.fuzzy or not all(as_tuple(message.string)))
    ] == []


def test_a_translation_keeps_the_places_that_are_filled_in() -> None:
    for message in kept():
        expected = sorted(PLACEHOLDER.findall(as_tuple(message.id)[0]))
        for text in as_tuple(message.string) if message.id else ():
            assert sorted(PLACEHOLDER.findall(text)) == expected, text


def test_what_programs_read_is_what_the_catalogue_says() -> None:
    assert (FOLDER / "messages.mo").read_bytes() == compiled(), HOW
    with (FOLDER / "messages.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    assert catalogue.gettext("Masuk") == "Log in"
    assert catalogue.ngettext("%(num)d menit", "%(num)d menit", 2) == "%(num)d minutes"
