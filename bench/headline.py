"""The headline figures of a run, and their aims."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.accepting import OURS
from bench.helpdesk.running import DOCUMENTED, TUNED


@dataclass(frozen=True)
class Aim:
    """The aim of a figure: at least `least`, or below `below`, which may name another figure."""

    figure: str
    meaning: str
    least: float | None = None
    below: float | str | None = None

    def bound(self, figures: Mapping[str, Any]) -> float | None:
        """Return the bound of the aim; None where the figure it names was not measured."""
        return figures.get(self.below) if isinstance(self.below, str) else self.least or self.below

    def words(self, figures: Mapping[str, Any]) -> str:
        """Return the aim in words."""
        bound = self.bound(figures)
        sign = "at least" if self.least is not None else "below"
        return f"{sign} {bound:.4g}" if bound is not None else f"{sign} {self.below}"

    def is_met(self, figures: Mapping[str, Any]) -> bool | None:
        """Return whether the aim is met; None where that is not known."""
        value, bound = figures.get(self.figure), self.bound(figures)
        if value is None or bound is None:
            return None
        return value >= bound if self.least is not None else value < bound


AIMS = (
    Aim("accept_ratio", "complaints accepted per second, times django-helpdesk's tickets", least=5),
    Aim("accept_p99_ms", "our p99 to accept (ms), against django-helpdesk's p50", below="helpdesk_p50_ms"),
    Aim("desk_p50_ms", "from the answer to the next desk at half load, p50 (ms)", below=25),
    Aim("desk_p99_ms", "the same, p99 (ms)", below=100),
    Aim("crowd_ratio", "a worklist's p99 beside 200 slow connections, times that without", below=2),
    Aim("upload_mb", "memory of a gateway process for an upload of the greatest size (MB)", below=8),
    Aim("download_mb", "the same for a download", below=8),
    Aim("files_ratio", "a worklist's p99 beside 20 uploads at once, times that without", below=2),
    Aim("tools_ratio", "complaints accepted beside ten tools and ten webhooks, times those without", least=0.95),
    Aim("relay_ratio", "events through the relay, times one-by-one publishing", least=5),
    Aim("relay_raw_ratio", "events through the relay, times raw publishing in batches", least=0.5),
    Aim("hop_ratio", "a bare Nameko hop's cost, times one of ours", least=1),
    Aim("flat_ratio", "the worst of the reads, a million complaints to a thousand", below=1.5),
    Aim("worklist_ratio", "a worklist's page with 100,000 open cases to one with 100", below=2),
)


def figures(sections: Mapping[str, Any]) -> dict[str, float]:
    """Return the headline figures by name, of those sections that were measured."""
    found: dict[str, float] = {}
    for name, of in _BY_SECTION.items():
        if name in sections:
            found |= of(sections[name])
    return found


def _accepted(accept: Mapping[str, Any]) -> dict[str, float]:
    ours, documented, tuned = (accept["doors"][name] for name in (OURS, DOCUMENTED.name, TUNED.name))
    return {
        "accept_ratio": ours["per_second"] / documented["per_second"],
        "accept_ratio_tuned": ours["per_second"] / tuned["per_second"],
        "accept_cpu_ratio": documented["cpu_ms_each"] / ours["cpu_ms_each"],
        "accept_per_second": ours["per_second"],
        "accept_p50_ms": ours["p50_ms"],
        "accept_p99_ms": ours["p99_ms"],
        "helpdesk_per_second": documented["per_second"],
        "helpdesk_p50_ms": documented["p50_ms"],
        "helpdesk_p99_ms": documented["p99_ms"],
    }


def _desk(desk: Mapping[str, Any]) -> dict[str, float]:
    return {"desk_p50_ms": desk["triage_half"]["p50_ms"], "desk_p99_ms": desk["triage_half"]["p99_ms"]}


def _crowd(crowd: Mapping[str, Any]) -> dict[str, float]:
    return {"crowd_ratio": crowd["ratio"]}


def _files(files: Mapping[str, Any]) -> dict[str, float]:
    return {"upload_mb": files["upload_mb"], "download_mb": files["download_mb"], "files_ratio": files["ratio"]}


def _tools(tools: Mapping[str, Any]) -> dict[str, float]:
    return {"tools_ratio": tools["ratio"]}


def _relay(relay: Mapping[str, Any]) -> dict[str, float]:
    rate = relay["relay"]["PostgreSQL"]
    return {
        "relay_per_second": rate,
        "relay_ratio": rate / relay["one_by_one"],
        "relay_raw_ratio": rate / relay["in_batches"],
    }


def _hop(hop: Mapping[str, Any]) -> dict[str, float]:
    return {
        "hop_ratio": hop["bare_hop_ms"] / hop["our_hop_ms"],
        "bare_hop_ms": hop["bare_hop_ms"],
        "our_hop_ms": hop["our_hop_ms"],
    }


def _flat(flat: Mapping[str, Any]) -> dict[str, float]:
    return {name: flat[name] for name in ("flat_ratio", "worklist_ratio")}


_BY_SECTION = {
    "accept": _accepted,
    "desk": _desk,
    "crowd": _crowd,
    "files": _files,
    "tools": _tools,
    "relay": _relay,
    "hop": _hop,
    "flat": _flat,
}
