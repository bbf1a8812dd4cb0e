"""The child process that makes a document: it reads a request as JSON and writes the document to standard output.

Its one argument is its time in seconds. For a known failure it writes a sentence and exits with the code `TOLD`; that
sentence, and all other output, contains nothing of the content.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from gateway.children import limit

MEMORY = 1 << 30
"""The limit of the address space, in bytes."""

LARGEST = 64 << 20
"""The largest document, in bytes."""


def _answer(request: dict[str, Any]) -> bytes:
    # Imported under the limits.
    from gateway.documents import rendering

    if "check" in request:
        from gateway.documents import trial

        return json.dumps(trial.problems(Path(request["check"]))).encode()
    templates = Path(request["templates"]) if request["templates"] else None
    return rendering.render(request["kind"], request["fmt"], request["content"], templates)


def main() -> int:
    """Answer the request on standard input; return the exit code."""
    limit(float(sys.argv[1]), MEMORY)
    from gateway.documents.child import TOLD
    from gateway.documents.errors import ContentError, TemplateError

    out = sys.stdout.buffer
    try:
        document = _answer(json.loads(sys.stdin.buffer.read()))
    except (ContentError, TemplateError) as error:
        out.write(str(error).encode())
        return TOLD
    except Exception as error:  # noqa: BLE001 - its text and traceback could quote the content
        out.write(f"It failed with {type(error).__name__}.".encode())
        return TOLD
    if len(document) > LARGEST:
        out.write(b"The document would be too large.")
        return TOLD
    out.write(document)
    out.flush()
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Exits directly, because cleaning up costs time and nothing needs it.
    os._exit(code)
