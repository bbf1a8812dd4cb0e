"""Fixtures with invented figures of a whole run."""

from typing import Any

import pytest

from bench.growing import DESKS, FULL, ratios


def _door(per_second: float, p50_ms: float, cpu_ms: float) -> dict[str, Any]:
    return {
        "per_second": per_second,
        "p50_ms": p50_ms,
        "p99_ms": p50_ms * 1.5,
        "cpu_ms_each": cpu_ms,
        "load_cpu_ms_each": 0.3,
        "caught_up_s": 0.5,
        "refused": 0,
        "cpu_ms_by_process": {"PostgreSQL": cpu_ms},
        "rounds": [{"per_second": per_second}],
    }


def _reached(p50_ms: float) -> dict[str, Any]:
    return {"p50_ms": p50_ms, "p99_ms": p50_ms * 3, "per_second": 100.0, "count": 1000}


def _size(per_second: float, ms: float) -> dict[str, Any]:
    reads = {f"{desk}: worklist (page)": {"p50_ms": ms, "p99_ms": ms * 2} for desk in DESKS}
    return {
        "reads": reads | {"its timeline": {"p50_ms": ms / 2, "p99_ms": ms}},
        "bytes": {"intake": 10**9},
        "accept": {"per_second": per_second, "p50_ms": 20.0, "p99_ms": 40.0},
        "fill_s": 60.0,
    }


@pytest.fixture
def found() -> dict[str, Any]:
    """The results that a whole run writes."""
    sizes = {
        "1000": _size(400.0, 10.0),
        "100000": _size(390.0, 10.5),
        "1000000": _size(380.0, 11.0),
        FULL: _size(370.0, 12.0),
    }
    sections = {
        "accept": {
            "connections": 8,
            "durability": {"fsync": "on"},
            "doors": {
                "ours": _door(400.0, 18.0, 5.0),
                "as documented": _door(80.0, 100.0, 25.0),
                "tuned": _door(100.0, 80.0, 20.0),
            },
        },
        "desk": {
            "flush_ms": 1.0,
            "half_per_second": 200.0,
            "triage_slow": _reached(8.0),
            "triage_half": _reached(12.0),
            "journey_slow": _reached(9.0),
            "journey_half": _reached(14.0),
        },
        "crowd": {
            "count": 200,
            "addresses": 10,
            "hung_up_on": 123,
            "asked": 1000,
            "ratio": 1.5,
            "without": {"p50_ms": 10.0, "p99_ms": 20.0},
            "with": {"p50_ms": 12.0, "p99_ms": 30.0},
        },
        "files": {
            "mb": 25.0,
            "upload_mb": 4.0,
            "download_mb": 2.0,
            "at_once": 20,
            "at_once_mb": 12.0,
            "at_once_s": 30.0,
            "asked": 500,
            "ratio": 1.8,
            "usual_ratio": 1.2,
            "without": {"p50_ms": 10.0, "p99_ms": 20.0},
            "with": {"p50_ms": 12.0, "p99_ms": 36.0},
        },
        "tools": {
            "tools": 10,
            "webhooks": 10,
            "heard": 13_717,
            "posted": 12_345,
            "per_second": {"without": 100.0, "with": 97.0},
            "rounds": {"without": [99.0, 100.0, 101.0], "with": [96.0, 97.0, 98.0]},
            "ratio": 0.97,
            "arrived_s": 3.5,
            "cpu_ms_by_process": {
                "without": {"broker": 2.0, "intake-1": 3.0},
                "with": {"broker": 3.0, "intake-1": 3.0, "webhooks": 8.0},
            },
            "load_cpu_ms_each": {"without": 0.5, "with": 0.5},
        },
        "journeys": {
            "per_second": 30.0,
            "p50_ms": 500.0,
            "p99_ms": 900.0,
            "closed": 300,
            "of": 300,
            "refused": {"approve 404": 2},
        },
        "hop": {
            "ours": {"handed over -> triage": {"ms": 1.0, "cpu_ms": 2.0}},
            "bare_hop_ms": 1.5,
            "bare_hop_cpu_ms": 2.5,
            "our_hop_ms": 1.0,
            "bare_call_ms": 1.5,
            "bare_chain_ms": 4.5,
        },
        "relay": {
            "relay": {"PostgreSQL": 9_000.0, "SQLite": 8_000.0},
            "one_by_one": 1_500.0,
            "in_batches": 15_000.0,
            "batch": 50,
        },
        "scale": {"waits_ms": 250.0, "per_second": {"1": 64.0, "2": 127.0}, "ratio": {"1": 1.0, "2": 1.98}},
        "memory": {
            "memory_mb": {"at rest": {"intake-1": 70.0}, "after 11 hours": {"intake-1": 72.0}},
            "growth_mb_an_hour": {"intake-1": 0.01},
            "an_hour": 120,
            "hours": 11,
            "bytes_each": {"intake": 4_000.0},
            "broker_bytes_each": 900.0,
            "first_start_s": 9.0,
            "start_s": 5.0,
        },
        "flat": {
            "sizes": sizes,
            "open_at_each_desk": 100,
            "full_desk": 100_000,
            "plans": [{"what": "a timeline", "stage": "notification", "statement": "SELECT 1", "plan": "Result"}],
            **ratios(sizes, "1000", "1000000"),
        },
    }
    return {
        "date": "2026-03-02",
        "command": "make bench",
        "quick": False,
        "seconds": 900.0,
        "failed": {},
        "machine": {"processors": 2, "kernel": "6", "python": "3.11", "load_before": 0.1},
        "sections": sections,
    }
