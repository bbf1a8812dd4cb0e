import pytest
from marshmallow import Schema, fields

from nkk.sop.refusals import InvalidInput
from nkk.validation import load


class Form(Schema):
    count = fields.Integer(required=True)


def test_what_the_schema_takes_is_given_back():
    assert load(Form, {"count": 3}) == {"count": 3}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "count"),
        ({"count": "rahasia"}, "count"),
        ({"count": 1, "more": "rahasia"}, "more"),
        (["rahasia"], "_schema"),
        (None, "_schema"),
    ],
)
def test_fields_at_fault_are_named_and_their_content_is_not_quoted(data, field):
    with pytest.raises(InvalidInput) as refused:
        load(Form, data)
    assert list(refused.value.details["fields"]) == [field]
    assert "rahasia" not in str(refused.value.details)
