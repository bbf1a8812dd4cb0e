"""Reproducible DOCX packages, so that a file's hash shows whether its content is the same."""

import io
import re
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can hold."""

_WRITTEN_AT = re.compile(rb"<(dcterms:created|dcterms:modified|cp:lastPrinted)\b[^>]*>[^<]*</\1>")


def settled(package: bytes) -> bytes:
    """Return `package` with its parts sorted and without the times at which it was written."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        # The content types come first, where some readers expect them.
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            part = zipfile.ZipInfo(name, EPOCH)
            part.compress_type = zipfile.ZIP_DEFLATED
            part.external_attr = 0o600 << 16
            part.create_system = 3
            data = source.read(name)
            target.writestr(part, _WRITTEN_AT.sub(b"", data) if name == "docProps/core.xml" else data)
    return out.getvalue()
