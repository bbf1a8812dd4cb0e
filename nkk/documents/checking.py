"""Whether templates can be used: each is filled in with sample content, and printed."""

import json
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError as JinjaError

from nkk.documents import child, filling, printing
from nkk.documents.content import KINDS, SHOWN, context
from nkk.documents.errors import BrokenTemplateError, RenderingFailedError, RenderingTooSlowError, TemplateError
from nkk.documents.sample import sample


def check_templates(folder: Path, seconds: float = 20) -> list[str]:
    """What is wrong with the templates in `folder`, a sentence each; empty where all can be used.

    Each is tried in a child process with `seconds`, so that one without an end is found too.
    """
    if not folder.is_dir():
        return [f"{folder} is no folder."]
    strangers = [path.name for path in sorted(folder.glob("*.docx"))
                 if path.stem not in KINDS and not path.name.startswith(("~", "."))]
    found = [f"{name}: there is no document of this name; there are: {', '.join(KINDS)}." for name in strangers]
    for kind in KINDS:
        path = folder / f"{kind}.docx"
        if path.is_file():
            found += _tried(path, seconds)
    return found


def _tried(path: Path, seconds: float) -> list[str]:
    try:
        return json.loads(child.ask({"check": str(path.resolve())}, seconds))
    except (RenderingFailedError, RenderingTooSlowError) as error:
        return [f"{path.name}: filling it in with sample content failed. {error}"]


def problems(path: Path) -> list[str]:
    """What is wrong with the template at `path`, whose name says its kind."""
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
    """Names in branches that no sample takes would else be found on the day they are."""
    template = filling.read(path)
    try:
        unknown = template.get_undeclared_template_variables(filling.environment(), names | {"qr": None})
    except JinjaError as error:
        raise BrokenTemplateError(path.name, f"a tag cannot be read: {error}") from error
    known = sorted({*names, "qr"})
    assert SHOWN[path.stem] <= set(known)
    return [f"{path.name}: a tag uses the name {name!r}, which this document does not have; it has: {', '.join(known)}."
            for name in sorted(unknown)]
