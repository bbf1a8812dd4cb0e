"""The figures of one run as tables, with the aims beside them where there are any."""

from collections.abc import Iterator
from typing import Any

from bench.figures import table

ACCEPTED_AIM = 300
RATIO_AIM = 5
MEMORY_AIM_MB = 80


def text(found: dict[str, Any]) -> str:
    """Everything, ready to print."""
    machine = found["machine"]
    head = (f"{machine['processors']} processors, Linux {machine['kernel']}, Python {machine['python']}, "
            f"{found['seconds']:.0f} s; load before the run {machine['load_before']:.2f}. "
            "The load generator, the broker and PostgreSQL share these processors.")
    return "\n\n".join([head, *(f"{title}\n{table(rows)}" for title, rows in _tables(found))])


def _tables(found: dict[str, Any]) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    yield "Accepted at the gateway (HTTP 201: validated, on disk in PostgreSQL, every stage running)", _accepted(found)
    yield "Processor time a complaint, its events and letter included (ms)", _cpu(found)
    yield _reached_title(found), _reached(found)
    yield "Events through the relay, its database work included, to a quorum queue", _relayed(found)
    yield "Whole journeys over HTTP, both paths in turn, every desk acting", _travelled(found)
    yield f"Resident memory (MB); aim for each service process: {MEMORY_AIM_MB}", _memory(found)


def _accepted(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    accepting = found["accepting"]
    rounds = ", ".join(f"{each['per_second']:.0f}" for each in accepting["rounds"])
    return [
        ("complaints per second", accepting["per_second"], f"aim {ACCEPTED_AIM}", f"rounds: {rounds}"),
        ("answered in, p50 (ms)", accepting["p50_ms"], "", f"{accepting['connections']} connections, one request each"),
        ("answered in, p99 (ms)", accepting["p99_ms"], "", f"{accepting['per_round']} complaints a round"),
        ("all events and letters done after (s)", accepting["caught_up_s"], "", "the last 201"),
        ("not accepted", accepting["refused"], "aim 0", _refusals(accepting["rounds"])),
    ]


def _refusals(rounds: list[dict[str, Any]]) -> str:
    return ", ".join(f"{step}: {count}" for each in rounds for step, count in each["refused"].items())


def _cpu(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    each = dict(found["accepting"]["cpu_ms_each"])
    whole = each.pop("all of the machine")
    named = sum(each.values())
    rows = [(name, ms, f"{ms / named:.0%}") for name, ms in sorted(each.items(), key=lambda item: -item[1])]
    return [*rows, ("together", named, "100%"), ("everything else on this machine", max(whole - named, 0.0))]


def _reached_title(found: dict[str, Any]) -> str:
    return ("From the answer at the door to the row committed in another stage (ms); a commit's flush, "
            f"{found['flush_ms']:.2f} ms here, not included")


def _reached(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = {"triage": "hand-over (200) -> triage's worklist", "journey": "submission (201) -> notification's journey"}
    rows: list[tuple[Any, ...]] = [("", "p50", "p99", "per second", "count")]
    for way, name in names.items():
        for pace in ("slow", "half"):
            row = found["reaching"][f"{way}_{pace}"]
            rows.append((f"{name}, {'slowly' if pace == 'slow' else 'at half load'}", row["p50_ms"], row["p99_ms"],
                         row["per_second"], row["count"]))
    return rows


def _relayed(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    relaying = found["relaying"]
    rows: list[tuple[Any, ...]] = [("", "events/s", "times one by one", "")]
    rows += [(f"relay, {name}", rate, relaying["ratio"][name], f"aim {RATIO_AIM}")
             for name, rate in relaying["relay"].items()]
    return [*rows, ("one by one, each confirmed", relaying["one_by_one"], 1.0)]


def _travelled(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    travelling = found["travelling"]
    return [("journeys per second", travelling["per_second"]),
            ("one journey, p50 (ms)", travelling["p50_ms"]),
            ("one journey, p99 (ms)", travelling["p99_ms"]),
            ("closed", travelling["closed"], f"of {travelling['of']}", _refusals([travelling]))]


def _memory(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    moments = found["memory_mb"]
    names = sorted(set().union(*moments.values()))
    return [("", *moments), *((name, *(moment.get(name, 0.0) for moment in moments.values())) for name in names)]
