"""The pages' English catalogue: the sentences to translate, and the update of the file.

`make translations` adds new sentences (empty), removes old ones, and compiles the catalogue.
"""

import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SITE = Path(__file__).parents[2] / "gateway" / "site"
FOLDER = SITE / "translations" / "en" / "LC_MESSAGES"

METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
NO_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""A fixed date, because the current one would change every compiled file."""

OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}


def extracted() -> Catalog:
    """Return every sentence of the pages, as in the sources."""
    catalogue = Catalog(charset="utf-8")
    for _, _, message, _, context in extract_from_dir(SITE, METHODS, OPTIONS, keywords=KEYWORDS):
        catalogue.add(message, context=context)
    return catalogue


def kept() -> Catalog:
    """Return the catalogue as in its file."""
    path = FOLDER / "messages.po"
    if not path.exists():
        return Catalog(locale="en", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale="en")


def written(catalogue: Catalog) -> bytes:
    """Return a catalogue as its file stores it: sorted, and without dates and line numbers, which vary."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=120, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    header = (
        b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        b'"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
    )
    return header + buffer.getvalue()


def compiled() -> bytes:
    """Return the compiled catalogue."""
    buffer = io.BytesIO()
    catalogue = kept()
    catalogue.creation_date = catalogue.revision_date = NO_DAY
    write_mo(buffer, catalogue)
    return buffer.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    catalogue = kept()
    catalogue.update(extracted(), no_fuzzy_matching=True)
    (FOLDER / "messages.po").write_bytes(written(catalogue))
    (FOLDER / "messages.mo").write_bytes(compiled())
