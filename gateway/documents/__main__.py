"""The child process that makes a document: it reads a request as JSON and writes the document to standard output.

Its one argument is its time in seconds. For a known failure it writes a sentence and exits with the code `TOLD`; that
sentence, and all other output, contains nothing of the content.
"""

import json
import math
import os
import resource
import sys
from pathlib import Path
from typing import Any

MEMORY = 1 << 30
"""The limit of the address space, in bytes."""

LARGEST = 64 << 20
"""The largest document, in bytes."""


def _limit(seconds: float) -> None:
    """Set the process' limits and a low priority. The CPU limit ends it even where its parent died before it could."""
    os.nice(10)
    processor = math.ceil(seconds) + 1
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


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
    _limit(float(sys.argv[1]))
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
