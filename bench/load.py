"""The load: people at the website, in a process of their own and cheap enough not to be what is measured.

`python -m bench.load` reads one job (JSON) and writes what came of it (JSON). A job's scripts are walked over a fixed
number of kept-alive connections, spoken in plain HTTP/1.1 without a client library: about a tenth of a millisecond of
processor a request, reported with the results.
"""

import asyncio
import json
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

from bench.line import Answer, Line

ON_THE_WAY = (404, 409)
"""The event has not come to this desk yet: asked again, as a person reloads their list."""
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PATIENCE_SECONDS = 0.005, 0.1, 60

Script = dict[str, Any]
"""{"steps": names of steps, "reporter": token, "ticket": known or None}"""


class Crowd:
    """Walks the scripts of one job.

    `rate` is how many scripts begin per second, evenly; 0 for one after another on every connection, which saturates.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._steps = {name: step | {"body": json.dumps(step["body"]).encode()} for name, step in job["steps"].items()}
        self._waiting = iter(enumerate(job["scripts"]))
        self.walked: list[dict[str, Any]] = []
        self.refused: Counter[str] = Counter()

    async def walk_all(self) -> None:
        """Every script, on the job's connections."""
        self._began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(self._job["connections"]):
                group.create_task(self._walk_some())

    async def _walk_some(self) -> None:
        line = Line(self._job["port"])
        for number, script in self._waiting:
            if self._job["rate"]:
                await asyncio.sleep(self._began + number / self._job["rate"] - time.monotonic())
            await self._walk(line, script)
        line.close()

    async def _walk(self, line: Line, script: Script) -> None:
        ticket, times = script.get("ticket"), []
        for name in script["steps"]:
            began = time.time()
            answer = await self._act(line, name, script, ticket)
            times.append((began, time.time()))
            if answer.status not in (200, 201):
                self.refused[f"{name} {answer.status}"] += 1
                return
            ticket = ticket or json.loads(answer.body)["ticket"]
        self.walked.append({"ticket": ticket, "times": times})

    async def _act(self, line: Line, name: str, script: Script, ticket: str | None) -> Answer:
        step, pause, give_up = self._steps[name], PAUSE_SECONDS, time.monotonic() + PATIENCE_SECONDS
        token = script["reporter"] if step["as"] == "reporter" else self._job["tokens"][step["as"]]
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": str(uuid.uuid4()),
            "Content-Type": "application/json",
        }
        while True:
            answer = await line.ask("POST", step["path"].format(ticket=ticket), headers, step["body"])
            if answer.status not in ON_THE_WAY or time.monotonic() > give_up:
                return answer
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)


def run(site: dict[str, Any], scripts: Iterable[Script], connections: int, rate: float = 0) -> dict[str, Any]:
    """What came of `scripts` at `site` (port, tokens, steps): `walked` [{ticket, times: [(asked, answered)]}] with
    times in seconds since the epoch, `refused` {step and status: count}, `cpu` seconds of the load's own."""
    job = site | {"scripts": list(scripts), "connections": connections, "rate": rate}
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(job), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the load failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def main() -> None:
    """Walk the job on standard input."""
    job = json.load(sys.stdin)
    before = time.process_time()
    crowd = Crowd(job)
    asyncio.run(crowd.walk_all())
    json.dump({"walked": crowd.walked, "refused": crowd.refused, "cpu": time.process_time() - before}, sys.stdout)


if __name__ == "__main__":
    main()
