"""What child processes of the gateway have in common: few environment variables, and limits of time and memory."""

import math
import os
import resource
from pathlib import Path

from nkk.priority import give_way

NICENESS = 10
ROOT = str(Path(__file__).resolve().parents[1])


def environment() -> dict[str, str]:
    """Return the environment variables that Python needs, without the gateway's keys and passwords."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"PYTHONPATH": ROOT, "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}


def limit(seconds: float, memory: int) -> None:
    """Set this process' limits, in seconds of processor time and bytes of address space, and a low priority.

    The processor's limit ends it even where its parent died before it could.
    """
    give_way(NICENESS)
    processor = math.ceil(seconds) + 1
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
