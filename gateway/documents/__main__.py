"""The child that makes a document: a request in JSON on standard input, the document on standard output.

Its one argument is the seconds it may take. A failure it understands is a sentence on standard output and the exit code
`TOLD`; that sentence, and whatever else it prints, holds none of the content.
"""

import json
import math
import os
import resource
import sys
from pathlib import Path
from typing import Any

MEMORY = 1 << 30
"""Bytes of address space."""

LARGEST = 64 << 20
"""Bytes of a document."""


def _limit(seconds: float) -> None:
    """Against a parent that dies before it can end us, too: the processor's time runs out by itself. Whatever else runs
    here goes first."""
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
    """Answer the one request."""
    _limit(float(sys.argv[1]))
    from gateway.documents.child import TOLD
    from gateway.documents.errors import ContentError, TemplateError

    out = sys.stdout.buffer
    try:
        document = _answer(json.loads(sys.stdin.buffer.read()))
    except (ContentError, TemplateError) as error:
        out.write(str(error).encode())
        return TOLD
    except Exception as error:  # noqa: BLE001 - its words, and its traceback's, could quote the content
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
    # Straight out: nothing is left to tidy, and tidying costs time.
    os._exit(code)
