"""Latency of reads with a thousand, a hundred thousand and a million complaints, and then with full desks.

Nearly all complaints are closed, as in a city that has used the service for years; a hundred are open at each desk.
Finally a hundred thousand more are put on every desk. One client requests every read over HTTP, all reads in turn.
"""

import asyncio
import time
from itertools import cycle
from typing import Any

import httpx
import jwt
import psycopg2

from bench import accepting
from bench.figures import percentiles
from bench.filling import KINDS, OPEN, Filler, New
from bench.line import Line
from bench.plans import plans
from bench.site import Site
from bench.workplace import Workplace, say
from nkk.contracts import STAGES
from nkk.sop.steps import Role

WAITING = "SELECT count(*) FROM complaints WHERE done_at IS NULL"
LARGEST_PAGE = 200

SIZES = (1_000, 100_000, 1_000_000)
QUICK_SIZES = (600, 1_200, 2_400)
AT_EACH_DESK = 100
FULL_DESK = 100_000
FULL = "full desks"

DESKS = {
    "intake": ("serah-terima", Role.OPERATOR),
    "triage": ("tim-utama", Role.MAIN_TEAM),
    "opd": ("opd", Role.OPD_TEAM),
    "answers": ("jawaban", Role.OPERATOR),
}
"""Each desk of the API: its name on the pages, and its role."""


def measure(place: Workplace) -> dict[str, Any]:
    """Return by size `reads` {name: p50_ms, p99_ms}, `accept`, `bytes` and `fill_s`, then the worst of the reads and
    the plans of the statements behind them."""
    sizes = QUICK_SIZES if place.quick else SIZES
    with place.installation("flat") as site:
        site.admit_people()
        filler, found, ours, had = Filler(site), {}, [], 0
        for size in sizes:
            began = time.monotonic()
            ours += filler.add(_added(size - had, had == 0))
            found[str(size)] = _measured(place, site, ours) | {"fill_s": time.monotonic() - began}
            had = size
        began = time.monotonic()
        filler.add(dict.fromkeys(OPEN, place.size(FULL_DESK, 500)))
        found[FULL] = _measured(place, site, ours) | {"fill_s": time.monotonic() - began}
        shown = plans(site, [each for each in ours if each.kind == "complaint"][-1])
    return {
        "sizes": found,
        "plans": shown,
        "open_at_each_desk": AT_EACH_DESK,
        "full_desk": place.size(FULL_DESK, 500),
    } | ratios(found, str(sizes[0]), str(sizes[-1]))


def ratios(found: dict[str, Any], small: str, large: str) -> dict[str, Any]:
    """Return the ratios of every read's median at `large` to that at `small`, the largest of them, and the largest for
    pages with full desks."""

    def to_small(size: str) -> dict[str, float]:
        return {
            name: read["p50_ms"] / found[small]["reads"][name]["p50_ms"] for name, read in found[size]["reads"].items()
        }

    grown, full = to_small(large), to_small(FULL)
    return {
        "ratios": grown,
        "full_ratios": full,
        "flat_ratio": max(grown.values()),
        "worklist_ratio": max(full[_page(desk)] for desk in DESKS),
        "accept_ratio": found[small]["accept"]["per_second"] / found[large]["accept"]["per_second"],
    }


def _added(count: int, is_first: bool) -> dict[str, int]:
    """Return how many of each kind to add: half of the closed ones are complaints, and the desks are filled first."""
    open_ones = dict.fromkeys(OPEN, AT_EACH_DESK if is_first else 0)
    closed = count - sum(open_ones.values())
    return {"complaint": closed // 2, "information": closed - closed // 2} | open_ones


def _measured(place: Workplace, site: Site, ours: list[New]) -> dict[str, Any]:
    site.admit_people()
    reads = asyncio.run(_read(site, ours, place.size(150, 5)))
    accepted = accepting.ours(site, place.size(400, 30))
    say(f"flat: {max(reads, key=lambda name: reads[name]['p50_ms'])} is the slowest read")
    return {
        "reads": reads,
        "bytes": {stage: _bytes(site, stage) for stage in STAGES},
        "accept": {name: accepted[name] for name in ("per_second", "p50_ms", "p99_ms")},
    }


async def _read(site: Site, ours: list[New], rounds: int) -> dict[str, dict[str, float]]:
    line, asked = Line(site.stack.port), _questions(site, ours)
    took: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(rounds + 3):
        for name, questions in asked.items():
            path, headers = next(questions)
            began = time.perf_counter()
            answer = await line.ask("GET", path, headers)
            if answer.status != 200:
                raise RuntimeError(f"{name}: {path} answered {answer.status}")
            if number >= 3:
                took[name].append(time.perf_counter() - began)
    line.close()
    return {name: percentiles(seconds) for name, seconds in took.items()}


def _questions(site: Site, ours: list[New]) -> dict[str, Any]:
    """Return each read by name as an endless iterator of (path, headers)."""
    found: dict[str, Any] = {}
    for desk, (key, role) in DESKS.items():
        found[f"{desk}: worklist (API)"] = cycle([(f"/api/v1/desks/{desk}", _bearer(site.tokens[role]))])
        found[_page(desk)] = cycle([(f"/meja/{key}", {"Cookie": f"nkk_access={site.tokens[role]}"})])
    middle = _cursor_in_the_middle(site)
    found["intake: worklist from the middle (API)"] = cycle(
        [(f"/api/v1/desks/intake?cursor={middle}", _bearer(site.tokens[Role.OPERATOR]))]
    )
    whose = dict(zip(reporter_ids(site.reporters), site.reporters, strict=True))
    mine = [(each, _bearer(whose[each.reporter_id])) for each in ours]
    closed = [(each, header) for each, header in mine if each.kind in KINDS and each.kind not in OPEN]
    found["a reporter's complaint"] = cycle([(f"/api/v1/complaints/{each.ticket}", header) for each, header in closed])
    found["its timeline"] = cycle([(f"/api/v1/complaints/{each.ticket}/timeline", header) for each, header in closed])
    found["a reporter's own list"] = cycle([("/api/v1/complaints", header) for _, header in mine])
    main_team = _bearer(site.tokens[Role.MAIN_TEAM])
    found["a case, for Tim Utama"] = cycle([(f"/api/v1/complaints/{each.ticket}", main_team) for each, _ in closed])
    return found


def _cursor_in_the_middle(site: Site) -> str:
    """Return the cursor to the middle of the operator's list, as found by turning every page up to it."""
    half = site.query("intake", WAITING)[0][0] // 2
    limit, cursor = min(LARGEST_PAGE, half), ""
    with httpx.Client(base_url=site.stack.url, headers=_bearer(site.tokens[Role.OPERATOR]), timeout=30) as http:
        for _ in range(half // limit):
            page = http.get(f"/api/v1/desks/intake?limit={limit}&cursor={cursor}".removesuffix("&cursor="))
            cursor = page.raise_for_status().json()["next"]
    return cursor


def reporter_ids(tokens: list[str]) -> list[str]:
    """Return the reporter ids in access tokens."""
    # The part after the last dot is the client's secret.
    return [jwt.decode(token.rpartition(".")[0], options={"verify_signature": False})["sub"] for token in tokens]


def _page(desk: str) -> str:
    return f"{desk}: worklist (page)"


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _bytes(site: Site, stage: str) -> int:
    with psycopg2.connect(site.stack.database_url(stage)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return cursor.fetchone()[0]
