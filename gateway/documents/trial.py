"""The trial of a template, filled with sample content and printed. `checking` runs it in a child process."""

from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError as JinjaError

from gateway.documents import filling, printing
from gateway.documents.content import SHOWN, context
from gateway.documents.errors import BrokenTemplateError, TemplateError
from gateway.documents.sample import sample


def problems(path: Path) -> list[str]:
    """Return the faults of the template at `path`, whose file name is its kind."""
    kind = path.stem
    names = context(kind, sample())
    try:
        found = _unknown_names(path, names)
        for content in (sample(), {}):
            docx = filling.fill(path, context(kind, content))
            printing.pdf(docx, path.name)
    except TemplateError as error:
        cause = error.__cause__
        detail = f" ({cause})" if isinstance(cause, JinjaError) and str(cause) not in str(error) else ""
        return [f"{error}{detail}"]
    return found


def _unknown_names(path: Path, names: dict[str, Any]) -> list[str]:
    """Return a sentence for each unknown name, also in branches that no sample content reaches."""
    template = filling.read(path)
    try:
        unknown = template.get_undeclared_template_variables(filling.environment(), names | {"qr": None})
    except JinjaError as error:
        raise BrokenTemplateError(path.name, f"a tag cannot be read: {error}") from error
    known = sorted({*names, "qr"})
    assert SHOWN[path.stem] <= set(known)  # nosec B101 # of our own tables
    return [
        f"{path.name}: a tag uses the name {name!r}, which this document does not have; it has: {', '.join(known)}."
        for name in sorted(unknown)
    ]
