"""The load on django-helpdesk's public form, in a process of its own, by the same clients as `bench.load`.

Each client opens the form once, keeps its cookie and token as a browser would, and then submits tickets one after
another. `python -m bench.helpdesk.load` reads one job (JSON) and writes its results (JSON).
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlencode

from bench.line import Line

FORM = "/tickets/submit/"
COOKIE = re.compile(rb"set-cookie: (csrftoken=[^;]+)", re.IGNORECASE)
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')


class Crowd:
    """The clients that submit the tickets of one job."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._waiting = iter(range(job["count"]))
        self.times: list[tuple[float, float]] = []
        self.refused: Counter[str] = Counter()

    async def submit_all(self) -> None:
        """Submit every ticket on the job's connections, after every client has opened its form."""
        lines = [Line(self._job["port"]) for _ in range(self._job["connections"])]
        opened = [await _opened(line) for line in lines]
        async with asyncio.TaskGroup() as group:
            for line, (cookie, token) in zip(lines, opened, strict=True):
                group.create_task(self._submit_some(line, cookie, token))

    async def _submit_some(self, line: Line, cookie: str, token: str) -> None:
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(self._job["form"] | {"csrfmiddlewaretoken": token}).encode()
        for _ in self._waiting:
            began = time.time()
            answer = await line.ask("POST", FORM, headers, body)
            if answer.status == 302:
                self.times.append((began, time.time()))
            else:
                self.refused[str(answer.status)] += 1
        line.close()


async def _opened(line: Line) -> tuple[str, str]:
    answer = await line.ask("GET", FORM, {})
    cookie, token = COOKIE.search(answer.head), TOKEN.search(answer.body)
    if answer.status != 200 or cookie is None or token is None:
        raise RuntimeError(f"no form to fill in: {answer.status}")
    return cookie[1].decode(), token[1].decode()


def run(port: int, form: dict[str, str], connections: int, count: int) -> dict[str, Any]:
    """Submit `count` tickets. Return `times` [(asked, answered)] of those accepted, in seconds since the epoch,
    `refused` {status: count}, and `cpu`, the processor seconds of the load."""
    job = {"port": port, "form": form, "connections": connections, "count": count}
    done = subprocess.run(
        [sys.executable, "-m", "bench.helpdesk.load"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the load failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def main() -> None:
    """Run the job on standard input."""
    job = json.load(sys.stdin)
    before = time.process_time()
    crowd = Crowd(job)
    asyncio.run(crowd.submit_all())
    json.dump({"times": crowd.times, "refused": crowd.refused, "cpu": time.process_time() - before}, sys.stdout)


if __name__ == "__main__":
    main()
