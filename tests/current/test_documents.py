"""The generated documents match the code."""

import pytest

from tests.current.documents import DOCUMENTS, FOLDER, as_text, openapi


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_generated_document_is_current(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == as_text(DOCUMENTS[name]()), "run `make docs`"


def test_every_answer_of_the_api_is_named_and_every_pattern_is_one_to_whoever_reads_it() -> None:
    operations = [
        operation
        for item in openapi()["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert [operation["operationId"] for operation in operations if "default" in operation["responses"]] == []
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    # In ECMA-262, by which JSON Schema reads patterns, \Z is the letter Z.
    assert r"\\Z" not in as_text(openapi())
