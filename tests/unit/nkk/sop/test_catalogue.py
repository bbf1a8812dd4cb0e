import re

import pytest

from nkk.contracts.fields import Slug
from nkk.sop.catalogue import CATEGORIES, OPDS
from nkk.sop.report import NAME_LENGTH

NAMES = [
    *OPDS.values(),
    *(category["name"] for category in CATEGORIES.values()),
    *(name for category in CATEGORIES.values() for name in category["sub_categories"].values()),
]
KEYS = [*OPDS, *CATEGORIES, *(key for category in CATEGORIES.values() for key in category["sub_categories"])]


def test_the_catalogue_has_the_categories_of_the_cited_laws():
    sizes = {category["name"]: len(category["sub_categories"]) for category in CATEGORIES.values()}
    assert sizes == {"Nilai dasar": 6, "Kode etik": 5, "Kode perilaku": 8, "Informasi dan aspirasi": 2}


def test_each_category_of_a_law_cites_it():
    assert [category["source"] for category in CATEGORIES.values()] == [
        "UU 5/2014 pasal 4",
        "PP 42/2004 pasal 7-12",
        "UU 5/2014 pasal 5(2)",
        "",
    ]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_can_cross_the_wire(key):
    assert Slug().deserialize(key) == key


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_plain_text_of_a_screens_length(name):
    assert name == name.strip()
    assert 1 <= len(name) <= NAME_LENGTH
    assert not re.search(r"[<>&\n]", name)


def test_the_roster_names_ten_agencies_once_each():
    assert len(OPDS) == len(set(OPDS.values())) == 10
