"""The generated documents are what the code says today."""

import pytest

from tests.current.documents import DOCUMENTS, FOLDER, as_text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_generated_document_is_current(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == as_text(DOCUMENTS[name]()), "run `make docs`"
