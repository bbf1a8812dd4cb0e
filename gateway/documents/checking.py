"""A check of an agency's templates: each is rendered with sample content."""

import json
from pathlib import Path

from gateway.documents import child
from gateway.documents.content import KINDS
from gateway.documents.errors import RenderingFailedError, RenderingTooSlowError


def templates_in(folder: Path) -> list[Path]:
    """Return the files in `folder` that are used as templates, in the order of the kinds."""
    return [path for kind in KINDS if (path := folder / f"{kind}.docx").is_file()]


def check_templates(folder: Path, seconds: float = 20) -> list[str]:
    """Return a sentence for each fault of the templates in `folder`.

    Each is tried in a child process for at most `seconds`, so that an endless one is found too.
    """
    if not folder.is_dir():
        return [f"{folder} is no folder."]
    strangers = [
        path.name
        for path in sorted(folder.glob("*.docx"))
        if path.stem not in KINDS and not path.name.startswith(("~", "."))
    ]
    found = [f"{name}: there is no document of this name; there are: {', '.join(KINDS)}." for name in strangers]
    for path in templates_in(folder):
        found += _tried(path, seconds)
    return found


def _tried(path: Path, seconds: float) -> list[str]:
    try:
        return json.loads(child.ask({"check": str(path.resolve())}, seconds))
    except (RenderingFailedError, RenderingTooSlowError) as error:
        return [f"{path.name}: filling it in with sample content failed. {error}"]
