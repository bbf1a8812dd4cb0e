"""The figures of one run as tables beside the aims, for the screen and for docs/benchmarks."""

from collections.abc import Callable, Mapping
from typing import Any

from bench.accepting import OURS
from bench.crowding import WITH, WITHOUT
from bench.figures import Rows, cell, table
from bench.growing import FULL
from bench.headline import AIMS

MEMORY_AIM_MB = 80

Titled = tuple[str, Rows]


def text(found: Mapping[str, Any]) -> str:
    """Return the whole report as text."""
    shown = [head(found), *(f"{title}\n{table(rows)}" for title, rows in tables(found))]
    shown += [f"FAILED {name}: {why}" for name, why in found["failed"].items()]
    return "\n\n".join(shown)


def head(found: Mapping[str, Any]) -> str:
    """Return a line with the machine and the date of the run."""
    machine = found["machine"]
    tried = " Tried out in a small size: these figures mean nothing." if found["quick"] else ""
    return (
        f"{found['date']}, `{found['command']}`: {machine['processors']} processors, Linux {machine['kernel']}, "
        f"Python {machine['python']}, {found['seconds']:.0f} s; load before the run {machine['load_before']:.2f}. "
        f"Load generator, broker and PostgreSQL share these processors.{tried}"
    )


def tables(found: Mapping[str, Any]) -> list[Titled]:
    """Return the title and rows of every table with figures; the aims come first, where any was measured."""
    sections, held = found["sections"], aims(found)
    shown = [("Aims", held)] if held[1:] else []
    for name, tables_of in _TABLES.items():
        if name in sections:
            shown += tables_of(sections[name])
    return shown


def aims(found: Mapping[str, Any]) -> Rows:
    """Return a row for each aim, with the figure found and whether the aim is met."""
    rows: Rows = [("", "found", "aim", "")]
    for aim in AIMS:
        if aim.figure in found:
            met = {True: "met", False: "MISSED", None: "not known"}[aim.is_met(found)]
            rows.append((aim.meaning, float(found[aim.figure]), aim.words(found), met))
    return rows


def door_name(name: str) -> str:
    """Return the name of the service measured."""
    return "this service" if name == OURS else f"django-helpdesk, {name}"


def _accepted(accept: Mapping[str, Any]) -> list[Titled]:
    doors = accept["doors"]
    rows: Rows = [
        ("", "per second", "p50 (ms)", "p99 (ms)", "not accepted", "all done after (s)", "processor ms each", "rounds")
    ]
    rows += [
        (
            door_name(name),
            door["per_second"],
            door["p50_ms"],
            door["p99_ms"],
            door["refused"],
            door["caught_up_s"],
            door["cpu_ms_each"],
            ", ".join(f"{each['per_second']:.0f}" for each in door["rounds"]),
        )
        for name, door in doors.items()
    ]
    kinds = sorted({kind for door in doors.values() for kind in door["cpu_ms_by_process"]})
    cpu: Rows = [("", *(door_name(name) for name in doors))]
    cpu += [(kind, *(door["cpu_ms_by_process"].get(kind, "") for door in doors.values())) for kind in kinds]
    cpu.append(("the load itself, not counted above", *(door["load_cpu_ms_each"] for door in doors.values())))
    settings = ", ".join(f"{name} {value}" for name, value in accept["durability"].items())
    clients = accept["connections"]
    return [
        (f"Accepted, {clients} clients, 2 workers each, in turn on one PostgreSQL ({settings})", rows),
        ("Processor time (ms) for each one accepted, including everything that follows from it", cpu),
    ]


def _reached(desk: Mapping[str, Any]) -> list[Titled]:
    names = {"triage": "hand-over (200) -> triage's worklist", "journey": "submission (201) -> notification's journey"}
    rows: Rows = [("", "p50", "p99", "per second", "count")]
    for way, name in names.items():
        for pace, words in (("slow", "slowly"), ("half", "at half load")):
            row = desk[f"{way}_{pace}"]
            rows.append((f"{name}, {words}", row["p50_ms"], row["p99_ms"], row["per_second"], row["count"]))
    return [
        (
            "From the gateway's response to the row committed in the next stage (ms); without a commit's flush, "
            f"{cell(desk['flush_ms'])} ms here",
            rows,
        )
    ]


def _crowded(crowd: Mapping[str, Any]) -> list[Titled]:
    rows: Rows = [("", "p50", "p99")]
    rows += [(f"{name} them", crowd[name]["p50_ms"], crowd[name]["p99_ms"]) for name in (WITHOUT, WITH)]
    rows.append(("times", crowd[WITH]["p50_ms"] / crowd[WITHOUT]["p50_ms"], crowd["ratio"]))
    return [
        (
            f"Worklists (ms) beside {crowd['count']} slow connections from {crowd['addresses']} addresses, in turns "
            f"with none of them; the server closed one of them {crowd['hung_up_on']:,} times",
            rows,
        )
    ]


def _filed(files: Mapping[str, Any]) -> list[Titled]:
    rows: Rows = [("", "p50", "p99")]
    rows += [(f"{name} them", files[name]["p50_ms"], files[name]["p99_ms"]) for name in (WITHOUT, WITH)]
    rows.append(("times", files["usual_ratio"], files["ratio"]))
    memory: Rows = [("", "MB")]
    memory += [
        ("an upload, with its check", files["upload_mb"]),
        ("a download", files["download_mb"]),
        (f"{files['at_once']} uploads at once, of which a worker takes a quarter of its threads", files["at_once_mb"]),
    ]
    return [
        (f"Memory of a worker of the gateway, above rest, for files of {cell(files['mb'])} MB", memory),
        (
            f"Worklists (ms) beside {files['at_once']} such uploads at once, which took {cell(files['at_once_s'])} s",
            rows,
        ),
    ]


def _tooled(tools: Mapping[str, Any]) -> list[Titled]:
    rows: Rows = [("", "per second", "rounds")]
    rows += [
        (f"{name} them", rate, ", ".join(f"{each:.0f}" for each in tools["rounds"][name]))
        for name, rate in tools["per_second"].items()
    ]
    rows.append(("times", tools["ratio"], ""))
    by_process, load = tools["cpu_ms_by_process"], tools["load_cpu_ms_each"]
    kinds = sorted(set(by_process[WITH]) | set(by_process[WITHOUT]))
    cpu: Rows = [("", WITHOUT, WITH)]
    cpu += [(kind, by_process[WITHOUT].get(kind, ""), by_process[WITH].get(kind, "")) for kind in kinds]
    cpu.append(("the load itself", load[WITHOUT], load[WITH]))
    cpu.append(("together", *(sum(by_process[name].values()) + load[name] for name in (WITHOUT, WITH))))
    return [
        (
            f"Complaints accepted beside {tools['tools']} tools and {tools['webhooks']} webhooks of intake, one of "
            f"which is dead, in turn with none of them; tools heard {tools['heard']:,} events and webhooks posted "
            f"{tools['posted']:,}, of which the last arrived {cell(tools['arrived_s'])} s after a round",
            rows,
        ),
        ("Processor time (ms) for each complaint, by process, with everything that follows from it", cpu),
    ]


def _relayed(relay: Mapping[str, Any]) -> list[Titled]:
    rows: Rows = [("", "events/s", "times one by one", "times raw")]
    rates = {f"the relay, {name}": rate for name, rate in relay["relay"].items()} | {
        "one by one, each confirmed": relay["one_by_one"],
        f"raw, confirmed {relay['batch']} at a time": relay["in_batches"],
    }
    rows += [(name, rate, rate / relay["one_by_one"], rate / relay["in_batches"]) for name, rate in rates.items()]
    return [("Published to a quorum queue; the relay with its database work", rows)]


def _hopped(hop: Mapping[str, Any]) -> list[Titled]:
    rows: Rows = [("", "ms", "processor ms")]
    rows += [(f"ours, {name}", each["ms"], each["cpu_ms"]) for name, each in hop["ours"].items()]
    rows += [
        ("bare Nameko, a hop", hop["bare_hop_ms"], hop["bare_hop_cpu_ms"]),
        ("bare Nameko, the call alone", hop["bare_call_ms"], ""),
        ("bare Nameko, the call and two hops", hop["bare_chain_ms"], ""),
    ]
    return [
        (
            "A hop at full speed: from the publishing stage to the effect in the consuming stage; ours with both "
            "databases, an effect exactly once, and consumed by notification too",
            rows,
        )
    ]


def _travelled(journeys: Mapping[str, Any]) -> list[Titled]:
    refused = ", ".join(f"{step}: {count}" for step, count in journeys["refused"].items())
    return [
        (
            "Whole journeys over HTTP, both paths in turn, with the acts of every desk",
            [
                ("", "", ""),
                ("journeys per second", journeys["per_second"]),
                ("one journey, p50 (ms)", journeys["p50_ms"]),
                ("one journey, p99 (ms)", journeys["p99_ms"]),
                ("closed", journeys["closed"], f"of {journeys['of']}", refused),
            ],
        )
    ]


def _scaled(scale: Mapping[str, Any]) -> list[Titled]:
    rows: Rows = [("instances", "events/s", "times one")]
    rows += [(str(number), rate, scale["ratio"][number]) for number, rate in scale["per_second"].items()]
    return [(f"A stage whose handler waits {scale['waits_ms']:.0f} ms on something slow", rows)]


def _rested(memory: Mapping[str, Any]) -> list[Titled]:
    moments, growth = memory["memory_mb"], memory["growth_mb_an_hour"]
    rows: Rows = [("", *moments, "growth an hour")]
    rows += [
        (name, *(moment.get(name, 0.0) for moment in moments.values()), growth.get(name, 0.0))
        for name in sorted(moments["at rest"])
    ]
    disk: Rows = [("", "bytes a complaint")]
    disk += [(f"database of {stage}", size) for stage, size in memory["bytes_each"].items()]
    disk.append(("broker's folder, logs and journals of its queues", memory["broker_bytes_each"]))
    start: Rows = [
        ("", "seconds"),
        ("from nothing: databases made, topology declared", memory["first_start_s"]),
        ("again", memory["start_s"]),
    ]
    return [
        ("From the start to ready", start),
        (
            f"Resident memory (MB); an hour is {memory['an_hour']} whole journeys; the growth is that of the later "
            f"half of {memory['hours']} hours; aim for each service process: {MEMORY_AIM_MB}",
            rows,
        ),
        ("What a complaint occupies on disk at the end of its journey", disk),
    ]


def _grown(flat: Mapping[str, Any]) -> list[Titled]:
    sizes = flat["sizes"]
    reads: Rows = [("p50 / p99 (ms)", *map(_size, sizes), "times", "times, full")]
    for name in next(iter(sizes.values()))["reads"]:
        timed = [
            f"{cell(size['reads'][name]['p50_ms'])} / {cell(size['reads'][name]['p99_ms'])}" for size in sizes.values()
        ]
        reads.append((name, *timed, flat["ratios"][name], flat["full_ratios"][name]))
    accepted: Rows = [("", *map(_size, sizes))]
    accepted += [
        (words, *(size["accept"][figure] for size in sizes.values()))
        for figure, words in (("per_second", "accepted per second"), ("p50_ms", "p50 (ms)"), ("p99_ms", "p99 (ms)"))
    ]
    accepted += [
        ("databases (GB)", *(sum(size["bytes"].values()) / 1e9 for size in sizes.values())),
        ("filled and measured in (s)", *(size["fill_s"] for size in sizes.values())),
    ]
    return [
        (
            f"Reads by how many complaints there are, {flat['open_at_each_desk']} open at each desk; with full desks "
            f"{flat['full_desk']:,} more open at each",
            reads,
        ),
        ("The same, for submissions", accepted),
    ]


def _size(name: str) -> str:
    return name if name == FULL else f"{int(name):,}"


_TABLES: dict[str, Callable[[Mapping[str, Any]], list[Titled]]] = {
    "accept": _accepted,
    "desk": _reached,
    "crowd": _crowded,
    "files": _filed,
    "tools": _tooled,
    "journeys": _travelled,
    "hop": _hopped,
    "relay": _relayed,
    "scale": _scaled,
    "memory": _rested,
    "flat": _grown,
}
