"""The load on the website, in a process of its own and cheap enough not to distort the measurement.

`python -m bench.load` reads one job (JSON) and writes its results (JSON). The job's scripts run over a fixed number of
keep-alive connections, in plain HTTP/1.1 without a client library: each request takes about a tenth of a millisecond of
processor time, which is reported with the results.
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
"""The statuses of a desk that has not consumed the event yet. The request is repeated, as people reload their list."""
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PATIENCE_SECONDS = 0.005, 0.1, 60

Script = dict[str, Any]
"""A script: {"steps": names of steps, "reporter": token, "ticket": known or None}"""


class Crowd:
    """The clients that run the scripts of one job.

    `rate` is how many scripts start per second, evenly spaced. 0 starts the next one on each connection as soon as it
    is free, which saturates the service.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._steps = {name: step | {"body": json.dumps(step["body"]).encode()} for name, step in job["steps"].items()}
        self._waiting = iter(enumerate(job["scripts"]))
        self.walked: list[dict[str, Any]] = []
        self.refused: Counter[str] = Counter()

    async def walk_all(self) -> None:
        """Run every script on the job's connections."""
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
    """Run `scripts` at `site` (port, tokens, steps). Return `walked` [{ticket, times: [(asked, answered)]}] with times
    in seconds since the epoch, `refused` {step and status: count}, and `cpu`, the processor seconds of the load."""
    job = site | {"scripts": list(scripts), "connections": connections, "rate": rate}
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(job), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the load failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def main() -> None:
    """Run the job on standard input."""
    job = json.load(sys.stdin)
    before = time.process_time()
    crowd = Crowd(job)
    asyncio.run(crowd.walk_all())
    json.dump({"walked": crowd.walked, "refused": crowd.refused, "cpu": time.process_time() - before}, sys.stdout)


if __name__ == "__main__":
    main()
