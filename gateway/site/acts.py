"""The acts beside the path as pages: each has one that says what follows, before it is carried out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema
from werkzeug.exceptions import NotFound

from gateway import complaints, desks, questions, schemas
from gateway import notes as noting
from gateway.journeys import BeingPrepared
from gateway.limits import by_account, limit
from gateway.site import colleagues, forms, session, uploading, words
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.said import SAID
from gateway.site.session import needs
from nkk.contracts import views
from nkk.desk.worklist import SHORTEST
from nkk.messaging.calls import StageUnavailableError
from nkk.sop.acts import Act
from nkk.sop.endings import ABANDONED, WITHDRAWN
from nkk.sop.report import SUBJECT_LENGTH
from nkk.sop.steps import Role

_ = lazy_gettext

pages = new_pages("beside")


@dataclass(frozen=True)
class ActPage:
    """An act as a page: its address, its names, what follows from it, and what is said afterwards."""

    act: Act
    key: str
    role: Role | tuple[Role, ...]
    schema: type[Schema]
    carry_out: Callable[[str, dict[str, Any]], views.Acted | views.Recused]
    name: Any
    question: Any
    hint: Any
    follows: Any
    done: Any
    back_to_list: bool = False

    @property
    def roles(self) -> tuple[Role, ...]:
        return (self.role,) if isinstance(self.role, Role) else self.role


PAGES = (
    ActPage(
        Act.WITHDRAW,
        "cabut",
        Role.REPORTER,
        schemas.Reason,
        complaints.withdraw,
        _("Cabut laporan"),
        _("Mengapa Anda mencabut laporan ini?"),
        _("Dibaca oleh tim yang memegang laporan ini."),
        _(
            "Laporan berhenti dikerjakan dan tidak akan dijawab. Ini tidak dapat dibatalkan. Tim NKK Utama dapat tetap "
            "memeriksa hal yang dilaporkan, tanpa melibatkan Anda lagi. Bila jawaban dikirim pada saat yang sama, "
            "jawaban itu yang berlaku."
        ),
        _("Laporan Anda dicabut."),
    ),
    ActPage(
        Act.OBJECT,
        "keberatan",
        Role.REPORTER,
        schemas.Objection,
        complaints.object_to,
        _("Nyatakan keberatan"),
        _("Apa yang belum dijawab, atau tidak benar?"),
        _("Dibaca Tim NKK Utama bersama laporan dan jawabannya."),
        _(
            "Tim NKK Utama memeriksa laporan ini sekali lagi, mulai hari kerja berikutnya, dan Anda mendapat jawaban "
            "kedua. Jawaban pertama tetap tersimpan. Keberatan dapat dinyatakan satu kali, dalam sepuluh hari kerja "
            "sejak jawaban dikirim."
        ),
        _("Keberatan Anda disampaikan kepada Tim NKK Utama."),
    ),
    ActPage(
        Act.RATE,
        "nilai",
        Role.REPORTER,
        schemas.Rating,
        complaints.rate,
        _("Nilai jawaban"),
        _("Seberapa baik laporan Anda ditangani?"),
        _("Operator melihatnya pada laporan ini."),
        _("Penilaian dapat diberikan satu kali."),
        _("Terima kasih atas penilaian Anda."),
    ),
    ActPage(
        Act.DECLINE,
        "tolak",
        Role.OPD_TEAM,
        schemas.Declination,
        complaints.decline,
        _("Bukan kewenangan kami"),
        _("Mengapa ini bukan kewenangan perangkat daerah Anda?"),
        _("Dibaca Tim NKK Utama."),
        _(
            "Pengaduan kembali kepada Tim NKK Utama, yang mengklasifikasinya lagi. Anda tidak dapat menanggapinya "
            "lagi, kecuali bila ia diteruskan lagi kepada Anda."
        ),
        _("Pengaduan dikembalikan kepada Tim NKK Utama."),
        back_to_list=True,
    ),
    ActPage(
        Act.RECALL,
        "tarik",
        Role.MAIN_TEAM,
        schemas.Reason,
        complaints.recall,
        _("Tarik kembali dari perangkat daerah"),
        _("Mengapa pengaduan ini ditarik kembali?"),
        _("Dibaca Tim NKK Pembantu yang memegangnya."),
        _(
            "Pengaduan kembali ke langkah 3 dengan waktu baru, dan Anda mengklasifikasinya lagi. Tanggapan yang belum "
            "sampai tidak berlaku lagi."
        ),
        _("Pengaduan ditarik kembali. Klasifikasikan lagi."),
    ),
    ActPage(
        Act.REQUEST_TIME,
        "minta-waktu",
        Role.OPD_TEAM,
        schemas.TimeRequest,
        complaints.request_time,
        _("Minta tambahan waktu"),
        _("Mengapa tim Anda memerlukan tambahan waktu?"),
        _("Dibaca Tim NKK Utama."),
        _(
            "Tim NKK Utama memutuskan permintaan ini. Sampai diputuskan, batas waktu Anda tetap. Yang dijanjikan "
            "kepada pelapor tidak berubah. Waktu dapat diminta satu kali selama pengaduan ini ada pada tim Anda."
        ),
        _("Permintaan tambahan waktu disampaikan kepada Tim NKK Utama."),
    ),
    ActPage(
        Act.GRANT_TIME,
        "beri-waktu",
        Role.MAIN_TEAM,
        schemas.TimeGrant,
        complaints.grant_time,
        _("Putuskan permintaan waktu"),
        _("Catatan"),
        _("Dibaca Tim NKK Pembantu. Wajib bila waktunya tidak ditambah."),
        _(
            "Batas waktu langkah 4 digeser sekian hari kerja, dihitung dari batas waktunya; 0 berarti tidak ditambah. "
            "Yang dijanjikan kepada pelapor tidak berubah. Keputusan ini tidak dapat diubah."
        ),
        _("Keputusan disampaikan kepada Tim NKK Pembantu."),
    ),
    ActPage(
        Act.GATHER,
        "opd-lain",
        Role.MAIN_TEAM,
        schemas.FurtherOpd,
        complaints.gather,
        _("Teruskan juga kepada perangkat daerah lain"),
        _("Catatan"),
        _("Untuk Tim NKK Pembantu yang dituju. Pelapor tidak melihatnya."),
        _(
            "Tanggapan yang ada disimpan. Perangkat daerah yang Anda pilih menanggapi pengaduan ini juga, tanpa "
            "melihat tanggapan itu; sesudahnya pengaduan kembali ke langkah 5, dan operator mendapat semua tanggapan "
            "bersama. Tanggapan yang disimpan tidak dapat dikembalikan lagi."
        ),
        _("Tanggapan disimpan, dan pengaduan diteruskan juga kepada perangkat daerah itu."),
    ),
    ActPage(
        Act.CONCLUDE,
        "tanggapan-yang-ada",
        Role.MAIN_TEAM,
        schemas.Conclusion,
        complaints.conclude,
        _("Teruskan tanggapan yang ada"),
        _("Catatan"),
        _("Untuk operator. Pelapor tidak melihatnya."),
        _(
            "Tanggapan yang disimpan sampai kepada operator, yang menjawab pelapor, tanpa tanggapan perangkat daerah "
            "yang lain. Ini tidak dapat dibatalkan."
        ),
        _("Tanggapan yang ada diteruskan kepada operator."),
    ),
    ActPage(
        Act.JOIN,
        "gabung",
        Role.MAIN_TEAM,
        schemas.Joining,
        complaints.join,
        _("Gabungkan dengan laporan lain"),
        _("Mengapa kedua laporan ini tentang hal yang sama?"),
        _("Tersimpan pada perjalanan laporan. Pelapor tidak melihatnya."),
        _(
            "Laporan ini menunggu sampai laporan yang satunya diputuskan, tanpa batas waktu langkah 3. Hasilnya lalu "
            "sampai kepada operator untuk laporan ini juga, dan setiap pelapor dijawab sendiri-sendiri. Pelapor tidak "
            "mengetahui adanya laporan lain: bila laporan yang satunya sudah ditanggapi dan batas waktu mengizinkan, "
            "serahkan tanggapan itu paling cepat satu jam kemudian, karena pelapor melihat kedua waktunya. Yang "
            "dijanjikan kepada pelapor tidak berubah. Selama menunggu, Anda dapat memisahkannya lagi; sesudah itu "
            "operator dapat mengembalikannya."
        ),
        _("Laporan digabungkan."),
    ),
    ActPage(
        Act.PART,
        "pisah",
        Role.MAIN_TEAM,
        schemas.Reason,
        complaints.part,
        _("Pisahkan dari laporan lain"),
        _("Mengapa laporan ini hal yang lain?"),
        _("Tersimpan pada perjalanan laporan. Pelapor tidak melihatnya."),
        _("Laporan kembali ke langkah 3, dengan waktu baru sejak hari kerja berikutnya, dan diklasifikasi tersendiri."),
        _("Laporan dipisahkan. Klasifikasikan lagi."),
    ),
    ActPage(
        Act.RECLASSIFY,
        "kembalikan",
        Role.OPERATOR,
        schemas.Reason,
        complaints.reclassify,
        _("Kembalikan kepada Tim NKK Utama"),
        _("Mengapa laporan ini perlu diklasifikasi lagi?"),
        _(
            "Dibaca Tim NKK Utama. Misalnya karena ini pengaduan, bukan informasi, atau hal yang lain daripada laporan "
            "yang digabungkan dengannya."
        ),
        _("Laporan kembali ke langkah 3 dengan waktu baru, dan Tim NKK Utama mengklasifikasinya lagi."),
        _("Laporan dikembalikan kepada Tim NKK Utama."),
    ),
    ActPage(
        Act.ASK,
        "tanya",
        desks.STAFF,
        schemas.Objection,
        lambda ticket, form: questions.ask(ticket, form["reason"]),
        _("Tanya pelapor"),
        _("Apa yang perlu dijawab pelapor?"),
        _("Dibaca pelapor, dan semua tim yang memegang laporan ini."),
        _(
            "Waktu langkah ini berhenti sampai hari sesudah pelapor menjawab. Pelapor dikabari, dan hari terakhir "
            "untuk menjawab tampil pada pertanyaan itu; sesudahnya waktunya berjalan lagi. Anda boleh melanjutkan "
            "laporan ini kapan saja; pertanyaan itu lalu tidak perlu dijawab lagi."
        ),
        _("Pertanyaan dikirim kepada pelapor."),
    ),
    ActPage(
        Act.ABANDON,
        "tutup",
        desks.STAFF,
        schemas.Reason,
        questions.abandon,
        _("Tutup karena tidak dijawab"),
        _("Mengapa laporan ini tidak dapat diselesaikan tanpa jawaban pelapor?"),
        _("Dibaca pelapor, dan semua tim yang memegang laporan ini."),
        _(
            "Laporan berhenti dikerjakan di semua meja dan tidak akan dijawab. Ini tidak dapat dibatalkan. Pelapor "
            "dikabari dan dapat mengirim laporan baru. Laporan lain yang digabungkan dengan laporan ini dipisahkan dan "
            "diklasifikasi tersendiri. Tanggapan yang sudah disimpan pun tidak sampai kepada pelapor. Bila keterangan "
            "yang ada sudah cukup, lanjutkan saja laporan ini."
        ),
        _("Laporan ditutup, dan pelapor dikabari."),
    ),
    ActPage(
        Act.KEEP,
        "lanjutkan",
        Role.MAIN_TEAM,
        schemas.Reason,
        complaints.keep,
        _("Lanjutkan tanpa pelapor"),
        _("Mengapa laporan yang dicabut ini tetap diperiksa?"),
        _("Tersimpan pada perjalanan laporan."),
        _(
            "Laporan berjalan terus dari langkah tempat ia dicabut, dengan waktu baru. Pelapor tidak dikirimi surat "
            "lagi."
        ),
        _("Laporan dilanjutkan."),
    ),
    ActPage(
        Act.RECUSE,
        "mundur",
        desks.STAFF,
        schemas.Recusal,
        complaints.recuse,
        _("Saya tidak menangani laporan ini"),
        _("Mengapa laporan ini ditangani orang lain?"),
        _("Dibaca rekan di meja Anda dan Tim NKK Utama."),
        _(
            "Laporan ini tidak dapat dilihat lagi dengan akun tersebut, di daftar, pencarian, dan meja mana pun, "
            "seolah-olah laporan ini tidak ada. Ini tidak dapat dibatalkan. Pastikan masih ada rekan yang "
            "menanganinya: bila tidak ada lagi yang dapat melihatnya di meja itu, laporan ini menunggu sampai "
            "admin membuka akun untuk orang lain."
        ),
        _("Laporan tidak ditangani lagi dengan akun tersebut."),
        back_to_list=True,
    ),
)

BY_ACT = {page.act: page for page in PAGES}

RATINGS = {
    "5": _("Sangat baik (5)"),
    "4": _("Baik (4)"),
    "3": _("Cukup (3)"),
    "2": _("Kurang (2)"),
    "1": _("Buruk (1)"),
}


def possible(case: Mapping[str, Any]) -> list[ActPage]:
    """Return the pages of the acts beside the path that are possible now on a complaint.

    A request for time is answered at the top of the complaint's page, not among these.
    """
    return [BY_ACT[Act(act)] for act in case.get("acts", ()) if act in BY_ACT and act != Act.GRANT_TIME]


def _page(page: ActPage) -> None:
    @pages.route(f"/laporan/<ticket>/{page.key}", methods=["GET", "POST"], endpoint=page.key)
    @needs(*page.roles)
    @limit("SUBMISSION", by_account, exempt_when=lambda: forms.idle() or Role.REPORTER not in page.roles)
    def act(ticket: str) -> ResponseReturnValue:
        # The page shows nothing of the complaint, so that it opens no answer.
        ticket = complaints.known(ticket)

        def show(form: Form) -> str:
            if page.act == Act.ASK:
                # Said before a question is written that would be refused.
                questions.check_reachable(ticket)
            q = request.args.get("q", "").strip()[:SUBJECT_LENGTH]
            found = complaints.similar(ticket, q if len(q) >= SHORTEST else None) if page.act == Act.JOIN else []
            asked = complaints.view(ticket) if page.act in (Act.GRANT_TIME, Act.GATHER) else None
            lapsed = questions.lapsed(ticket) if page.act == Act.ABANDON else None
            may_name = session.actor().role == Role.MAIN_TEAM
            return render_template(
                "act.html",
                page=page,
                form=form,
                ticket=ticket,
                opds=_others(page.act, asked),
                ratings=RATINGS,
                may_name=may_name,
                similar=found,
                q=q,
                chosen=request.args.get("first", ""),
                asked=asked,
                lapsed=lapsed,
                due_at=_due_at(ticket) if page.act == Act.GRANT_TIME else None,
            )

        def carry_out(form: dict[str, Any]) -> ResponseReturnValue:
            page.carry_out(ticket, form)
            flash(str(page.done), "done")
            flash(draft_of(ticket, page), "draft")
            return redirect(_after(page, ticket), 303)

        return forms.answer(page.schema, carry_out, show, lambda values: _read(page.schema, values))


def _due_at(ticket: str) -> str | None:
    """Return when the step that a complaint waits for is due; None where that is not known now."""
    try:
        waits_for = complaints.journey(ticket)["next"]
    except (StageUnavailableError, BeingPrepared):
        return None
    return waits_for["due_at"] if waits_for else None


def _others(act: Act, case: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the agencies that the page of an act offers: not those that have the complaint, or responded to it."""
    if act == Act.DECLINE:
        having = {session.actor().group}
    elif case is not None and act == Act.GATHER:
        having = {case.get("opd"), *(each["opd"] for each in case.get("gathered") or ())}
    else:
        return {}
    return {key: name for key, name in words.lists()["opds"].items() if key not in having}


def _after(page: ActPage, ticket: str) -> str:
    """Return the page that follows an act: the complaint, or the list from which it is gone."""
    if page.act == Act.RECLASSIFY:
        return url_for("desk.worklist", key="jawaban")
    return url_for("desk.home") if page.back_to_list else url_for("cases.read", ticket=ticket)


def _read(schema: type[Schema], values: Mapping[str, str]) -> dict[str, Any]:
    """Read the form of an act; the rating that was picked, and the days that were typed, are numbers."""
    form: dict[str, Any] = forms.filled_in(schema, values)
    days = str(form.get("days", "")).strip()
    numbers = {"rating": int(form["rating"])} if form.get("rating") in RATINGS else {}
    if days:
        # What is no number is out of the range, too.
        numbers |= {"days": int(days) if days.isdecimal() and days.isascii() and len(days) < 4 else -1}
    return form | numbers


for _each in PAGES:
    _page(_each)


def draft_of(ticket: str, page: ActPage) -> str:
    """Return the name under which a browser keeps what is typed on the page of an act."""
    return f"{page.key}-{ticket}"


PASSED = {
    "answered": "QuestionAnsweredBefore",
    "lapsed": "QuestionHasLapsed",
    "overtaken": "QuestionOvertaken",
}
"""The refusal of an answer, for each state of a question that is not open."""

ENDED = {WITHDRAWN: "AlreadyWithdrawn", ABANDONED: "Abandoned"}
"""The refusal that says more, where the complaint ended outside of the steps."""


@pages.route("/laporan/<ticket>/pertanyaan/<int:number>", methods=["GET", "POST"])
@needs(Role.REPORTER)
@limit("SUBMISSION", by_account, exempt_when=forms.idle)
@uploading.takes_files
def answer_question(ticket: str, number: int) -> ResponseReturnValue:
    """Show an open question to its reporter, or send the answer."""
    ticket = complaints.known(ticket)
    draft = f"pertanyaan-{number}-{ticket}"

    def carry_out(form: dict[str, Any]) -> ResponseReturnValue:
        questions.answer(ticket, number, form)
        flash(gettext("Jawaban Anda dikirim."), "done")
        flash(draft, "draft")
        return redirect(url_for("cases.read", ticket=ticket), 303)

    def show(form: Form) -> str:
        asked = next((each for each in questions.of(ticket) if each["number"] == number), None)
        if asked is None:
            raise NotFound
        # Said before an answer is written that would be refused.
        passed = SAID.get(PASSED.get(asked["state"], ""))
        if asked["state"] in ("lapsed", "overtaken"):
            passed = SAID.get(ENDED.get(complaints.journey(ticket)["stands"]["state"], ""), passed)
        return render_template("question.html", form=form, ticket=ticket, asked=asked, passed=passed)

    return forms.answer(schemas.QuestionAnswer, carry_out, show, _read_question)


def _read_question(values: Mapping[str, str]) -> dict[str, Any]:
    form: dict[str, Any] = forms.filled_in(schemas.QuestionAnswer, values)
    found = uploading.ids()
    return form | ({"files": found} if found else {})


@pages.route("/laporan/<ticket>/catatan", methods=["GET", "POST"])
@needs(*desks.STAFF)
def notes(ticket: str) -> ResponseReturnValue:
    """Show the notes about a complaint, or add one."""
    ticket = complaints.known(ticket)

    def carry_out(form: dict[str, Any]) -> ResponseReturnValue:
        noting.add(ticket, form["text"])
        flash(gettext("Catatan disimpan."), "done")
        flash(f"catatan-{ticket}", "draft")
        return redirect(url_for("cases.read", ticket=ticket) + "#catatan", 303)

    def show(form: Form) -> str:
        found = noting.of(ticket)
        names = colleagues.names(who for note in found for who in (note["by"], note["recused"]))
        return render_template("notes.html", form=form, ticket=ticket, notes=found, names=names)

    return forms.answer(schemas.NoteText, carry_out, show)
