"""Styles, scripts and pictures: read once, served compressed, and cached by browsers under a hash of their content."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, url_for

from gateway.site.compression import takes_gzip

FOLDER = Path(__file__).parent / "static"
A_YEAR = 31_536_000

pages = Blueprint("static_files", __name__)


@dataclass(frozen=True)
class File:
    """A file, plain and compressed, and the hash in its address."""

    plain: bytes
    compressed: bytes
    digest: str
    mimetype: str


@cache
def files() -> dict[str, File]:
    """Return all files by name."""
    return {path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.is_file()}


def _read(path: Path) -> File:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "text/plain"
    return File(content, gzip.compress(content, 9, mtime=0), hashlib.sha256(content).hexdigest()[:16], kind)


@pages.get("/statis/<digest>/<name>")
def file(digest: str, name: str) -> Response:
    """Return a file. An old address gets a 404, because a page must never run another version's script."""
    found = files().get(name)
    if found is None or found.digest != digest:
        abort(404)
    response = Response(found.compressed if takes_gzip() else found.plain, mimetype=found.mimetype)
    if takes_gzip():
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    return response


def address(name: str) -> str:
    """Return the address of the file `name`."""
    return url_for("static_files.file", digest=files()[name].digest, name=name)


def register(app: Flask) -> None:
    """Serve the files, and let templates name them by `static_file("site.css")`."""
    app.register_blueprint(pages)
    app.add_template_global(address, "static_file")
