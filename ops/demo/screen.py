"""The output of the demonstration: each journey, then a summary, in Indonesian and WIB."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path as File
from typing import Any, Protocol

from nkk.sop.clock import WIB
from nkk.sop.indonesian import ROLES, written_minutes
from nkk.sop.steps import Path, Role
from ops.demo.accounting import ends_early

Echo = Callable[[str], Any]

PATHS = {Path.INFORMATION: "informasi", Path.COMPLAINT: "pengaduan"}
CHANNELS = {"counter": "loket"}
RETURNED = "response.returned.v1"
ACTS = {
    "declination": "dinyatakan bukan kewenangan",
    "recall": "ditarik kembali dari perangkat daerah",
    "reclassification": "informasi yang ternyata pengaduan",
    "withdrawal": "dicabut pelapor",
    "continuation": "dilanjutkan tanpa pelapor",
    "objection": "keberatan atas jawaban",
    "rating": "jawaban dinilai",
    "recusals": "petugas yang tidak menangani laporannya",
    "time-request": "permintaan tambahan waktu",
    "time-grant": "tambahan waktu diberikan",
    "questions": "pertanyaan kepada pelapor",
    "questions/1/answer": "jawaban pelapor atas pertanyaan",
    "further-opd": "perangkat daerah kedua untuk hal yang sama",
    "conclusion": "tanggapan yang ada diteruskan kepada operator",
    "joins": "digabungkan dengan laporan lain",
    "parting": "dipisahkan dari laporan lain",
    "supplements": "berkas ditambahkan pelapor",
    "notes": "catatan di antara petugas",
    "abandonment": "ditutup karena pertanyaan tidak dijawab",
}
STAYS = {
    "hand_over": "menunggu diserahkan kepada Tim NKK Utama",
    "classify": "menunggu klasifikasi",
    "respond": "menunggu tanggapan perangkat daerah",
    "approve": "menunggu pemeriksaan tanggapan",
    "answer": "menunggu jawaban dikirim",
    "receive": "menunggu jawaban dibuka pelapor",
}
"""Where reports stay, by the step."""

ENDS = {
    "withdrawn": "dicabut, dan berakhir di situ",
    "abandoned": "ditutup, karena pelapor tidak menjawab pertanyaan sampai waktunya habis",
}
LAPSED = (
    "Waktu menjawab pertanyaan itu dihabiskan oleh peragaan. Pada layanan sungguhan baru habis sesudah beberapa hari "
    "(NKK_QUESTION_DAYS; bawaannya 30). Pada laporan lain, selagi layanan berjalan (make run): nkk demo --lapse TIKET"
)


AGED = "Yang terlambat dimundurkan seminggu oleh peragaan, dengan semua waktunya."


class Told(Protocol):
    """The parts of a journey that are printed."""

    item: dict[str, Any]
    ticket: str
    timeline: dict[str, Any] | None
    trouble: str | None
    stays: str | None

    def flaws(self) -> list[str]:
        """Return what is wrong with the journey."""


def journey_lines(journey: Told) -> Iterator[str]:
    """Yield the journey's ticket and path, then a line for each step."""
    timeline = journey.timeline
    if timeline is None:
        return
    path = PATHS.get(timeline["path"], "belum diklasifikasi")
    secret = " · rahasia" if journey.item["form"]["confidential"] else ""
    entered = f" · {CHANNELS[journey.item['channel']]}" if "channel" in journey.item else ""
    yield f"{journey.ticket} · {path}{secret}{entered} · {journey.item['form']['subject_line']}"
    promised = datetime.fromisoformat(timeline["service_due_at"]).astimezone(WIB)
    yield f"     dijanjikan selesai {promised:%d/%m/%Y %H.%M} WIB"
    for entry in timeline["entries"]:
        yield _step_line(entry)


def _step_line(entry: dict[str, Any]) -> str:
    at = datetime.fromisoformat(entry["at"]).astimezone(WIB)
    role = ROLES[Role(entry["role"])]
    activity = entry["activity"]
    if entry["event"] == RETURNED:
        activity = "Mengembalikan tanggapan kepada Tim NKK Pembantu OPD untuk dilengkapi"
    again = f" (tanggapan ke-{entry['round']})" if entry["round"] else ""
    moment = f"{at:%d/%m/%Y %H.%M.%S} WIB"
    if entry["step"] is None:
        return f"  -  {moment}  {'':<29}  {role:<20}  {activity}"
    return f"  {entry['step']}  {moment}  {_taken(entry):<29}  {role:<20}  {activity}{again} → {entry['output']}"


def _taken(entry: dict[str, Any]) -> str:
    """Return the office minutes that a step took, with its standard time."""
    standard = written_minutes(entry["minutes"])
    if entry["used_minutes"] is None:
        return f"waktu baku {standard}"
    return f"{entry['used_minutes']} menit dari {standard}{', terlambat' if entry['late'] else ''}"


def summary(journeys: Sequence[Told], planned: int, seconds: float) -> Iterator[str]:
    """Yield the numbers of accepted and completed reports, and a line for each that is not complete."""
    flawed = [journey for journey in journeys if journey.flaws()]
    complaints = sum(journey.item["path"] == Path.COMPLAINT for journey in journeys)
    returned = sum("return_note" in journey.item for journey in journeys)
    yield (
        f"{len(journeys)} dari {planned} laporan diterima: {complaints} pengaduan ({returned} dengan tanggapan yang "
        f"dikembalikan lebih dahulu), {len(journeys) - complaints} informasi dan aspirasi."
    )
    to_the_end = [each for each in journeys if not each.stays and not ends_early(each.item)]
    yield (
        f"{sum(each not in flawed for each in to_the_end)} dari {len(to_the_end)} sampai di langkah 7 tepat satu kali, "
        f"menurut jalurnya, dalam {f'{seconds:.1f}'.replace('.', ',')} detik."
    )
    for journey in journeys:
        if end := STAYS.get(journey.stays or "") or ENDS.get(ends_early(journey.item) or ""):
            late = ", terlambat" if journey.stays and "aged" in journey.item else ""
            yield f"{journey.ticket} {end}{late}."
    if any(journey.stays for journey in journeys):
        yield AGED
    acts = Counter(act["act"] for journey in journeys for act in journey.item.get("acts", ()))
    if acts:
        told = ", ".join(f"{ACTS[act]} ({number})" for act, number in acts.items())
        yield f"Tindakan di luar ketujuh langkah: {told}."
        yield LAPSED
    if flawed:
        yield f"{len(flawed)} laporan tidak:"
    for journey in flawed:
        trouble = f" Jawaban terakhir situs: {journey.trouble}" if journey.trouble else ""
        yield f"  {journey.ticket} · {'; '.join(journey.flaws())}.{trouble}"


def afterwards(ticket: str, papers: Sequence[File], recaps: Sequence[File]) -> Iterator[str]:
    """Yield the files that can be opened now, and the command that proves a clock."""
    yield f"Dokumen yang dapat dibuka pelapor {ticket}: {', '.join(map(str, papers))}"
    if recaps:
        yield f"Rekapitulasi bulan ini: {', '.join(map(str, recaps))}"
    yield (
        "Surat: kepada satu alamat berangkat paling banyak 12 sejam (NKK_LETTERS_AN_HOUR). Pelapor peragaan menulis "
        "banyak laporan, jadi sebagian suratnya menunggu giliran: `nkk status` menghitungnya, `nkk letters list` "
        "menyebut sebabnya."
    )
    yield f"Waktu setiap langkah dibuktikan, selagi layanan berjalan (make run), dengan: nkk clock {ticket}"
