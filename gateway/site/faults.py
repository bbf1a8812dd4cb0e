"""Every refusal and failure as a page: what it means, what to do, and what was typed."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from gateway import complaints, errors
from gateway.addresses import within_site
from gateway.clock import now
from gateway.documents import RenderingFailedError, RenderingTooSlowError
from gateway.files.arriving import BrokenOffError, LeavingError, TooSlowError
from gateway.files.slots import TooManyUploadsError
from gateway.files.stores import StoreError
from gateway.limits import seconds_to_wait
from gateway.site import colleagues, compression, headers, session, uploading
from gateway.site.forms import SECRETS, Form, typed
from gateway.site.language import moment
from nkk.log import get_logger
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop.clock import write_instant
from nkk.sop.refusals import Refused

_ = lazy_gettext
log = get_logger()

NOT_PAGES = ("/api/", "/healthz", "/readyz")


@dataclass(frozen=True)
class Said:
    """What a page says about a fault."""

    title: Any
    advice: Any


UNCHANGED = _("Tidak ada yang berubah. Muat ulang laporan untuk melihat keadaannya sekarang.")

DONE = Said(_("Langkah ini sudah dikerjakan"), UNCHANGED)

SAID = {
    "NotYourRole": Said(
        _("Halaman ini bukan untuk peran Anda"), _("Masuk dengan akun yang sesuai, atau kembali ke halaman Anda.")
    ),
    "UnknownTicket": Said(
        _("Laporan tidak ditemukan"),
        _("Tidak ada laporan dengan nomor tiket ini yang boleh Anda lihat. Periksa nomornya, lalu coba lagi."),
    ),
    "UnknownAccount": Said(
        _("Akun tidak ditemukan"), _("Tidak ada akun petugas dengan nama pengguna ini. Periksa daftar staf.")
    ),
    "UnknownWebsite": Said(_("Situs tidak ditemukan"), _("Periksa daftar situs (`nkk websites list`).")),
    "UnknownCalendar": Said(_("Versi kalender ini tidak ada"), _("Periksa daftar semua versi kalender.")),
    "ClaimedByColleague": Said(
        _("Rekan Anda sedang mengerjakan laporan ini"),
        _("Tidak ada yang berubah. Buka laporan; dari sana Anda dapat mengambil alih bila memang perlu."),
    ),
    "NotYourStep": Said(_("Laporan ini belum sampai di langkah Anda"), UNCHANGED),
    "NoResponseYet": Said(_("Belum ada tanggapan untuk diperiksa"), UNCHANGED),
    "NotAnsweredYet": Said(_("Belum ada jawaban untuk dikonfirmasi"), UNCHANGED),
    "AlreadyConfirmed": Said(_("Anda sudah mengonfirmasi penerimaan"), UNCHANGED),
    "Withdrawn": Said(
        _("Pelapor sudah mencabut laporan ini"),
        _("Tidak ada yang berubah. Laporan ini tidak dikerjakan lagi."),
    ),
    "AlreadyWithdrawn": Said(_("Anda sudah mencabut laporan ini"), UNCHANGED),
    "TooLateToWithdraw": Said(
        _("Laporan ini sudah dijawab"),
        _(
            "Karena itu ia tidak dapat dicabut lagi. Bacalah jawabannya. Bila Anda tidak puas, Anda dapat menyatakan "
            "keberatan dalam sepuluh hari kerja sejak jawaban dikirim."
        ),
    ),
    "AlreadyClosed": Said(
        _("Laporan ini sudah selesai"),
        _(
            "Karena itu ia tidak dapat dicabut lagi. Bila Anda tidak puas dengan jawabannya, Anda dapat menyatakan "
            "keberatan dalam sepuluh hari kerja sejak jawaban dikirim."
        ),
    ),
    "AlreadyObjected": Said(
        _("Anda sudah menyatakan keberatan"),
        _("Keberatan dapat dinyatakan satu kali. Tidak ada yang berubah. Untuk hal lain, tulislah laporan baru."),
    ),
    "QuestionOpen": Said(
        _("Pelapor sudah ditanya"),
        _("Pertanyaan sebelumnya belum dijawab. Tidak ada yang berubah."),
    ),
    "ReporterUnreachable": Said(
        _("Pelapor ini tidak dapat ditanya lewat layanan ini"),
        _(
            "Ia tidak memberi alamat surel dan belum membuka akunnya, sehingga pertanyaan tidak sampai kepadanya. "
            "Mintalah operator meneleponnya, lalu tulis jawabannya sebagai catatan. Tidak ada yang berubah."
        ),
    ),
    "WithoutReporter": Said(
        _("Pelapor tidak ditanya lagi"),
        _("Pelapor mencabut laporan ini, yang berlanjut tanpa dirinya. Tidak ada yang berubah."),
    ),
    "UnknownQuestion": Said(
        _("Pertanyaan ini tidak ada"),
        _("Laporan ini tidak mempunyai pertanyaan dengan nomor itu. Lihat pertanyaan yang ada di laporannya."),
    ),
    "QuestionAnsweredBefore": Said(
        _("Pertanyaan ini sudah Anda jawab"),
        _("Jawaban tidak dapat diubah. Tidak ada yang berubah."),
    ),
    "QuestionHasLapsed": Said(
        _("Waktu untuk menjawab sudah lewat"),
        _("Laporan diperiksa dengan keterangan yang ada. Tidak ada yang berubah."),
    ),
    "QuestionOvertaken": Said(
        _("Laporan Anda sudah berlanjut"),
        _("Jawaban atas pertanyaan ini tidak diperlukan lagi. Tidak ada yang berubah."),
    ),
    "ObjectionTooLate": Said(
        _("Waktu untuk menyatakan keberatan sudah lewat"),
        _("Sudah lewat sepuluh hari kerja sejak jawaban dikirim. Tulislah laporan baru."),
    ),
    "NotClosedYet": Said(
        _("Jawaban ini belum dapat dinilai"),
        _("Buka jawabannya dan konfirmasi bahwa sudah Anda terima. Setelah itu Anda dapat menilainya."),
    ),
    "PaperEnteredBefore": Said(
        _("Surat atau lembar ini sudah dimasukkan"),
        _("Nomor berkas yang sama dari saluran yang sama sudah menjadi laporan. Tidak ada yang berubah."),
    ),
    "AccountOpenedBefore": Said(
        _("Pelapor sudah membuat akunnya"),
        _("Kode akses tidak diperlukan lagi: ia masuk dengan nama pengguna dan kata sandi yang dipilihnya."),
    ),
    "NotEnteredByStaff": Said(
        _("Laporan ini tidak dimasukkan oleh petugas"),
        _("Karena itu tidak ada kode akses yang dapat diganti petugas. Tidak ada yang berubah."),
    ),
    "AlreadyRated": Said(_("Anda sudah menilai jawaban ini"), UNCHANGED),
    "NotWithOpd": Said(
        _("Pengaduan ini tidak dapat ditarik kembali"),
        _(
            "Hanya pengaduan yang masih menunggu tanggapan perangkat daerah dapat ditarik kembali. Tidak ada yang "
            "berubah."
        ),
    ),
    "NothingToKeep": Said(
        _("Laporan ini tidak dapat dilanjutkan"),
        _("Laporan ini tidak dicabut, atau tidak sedang di meja Anda ketika dicabut. Tidak ada yang berubah."),
    ),
    "NoLongerHere": Said(
        _("Pengaduan ini tidak lagi pada tim Anda"),
        _(
            "Pengaduan ini dinyatakan bukan kewenangan tim Anda, atau ditarik kembali Tim NKK Utama. Tidak ada yang "
            "berubah."
        ),
    ),
    "NoRequest": Said(
        _("Tidak ada permintaan waktu yang menunggu keputusan"),
        _("Perangkat daerah tidak meminta waktu, atau tidak memerlukannya lagi. Tidak ada yang berubah."),
    ),
    "AlreadyAsked": Said(
        _("Tim Anda sudah meminta waktu"),
        _("Waktu dapat diminta satu kali setiap kali pengaduan diteruskan. Tidak ada yang berubah."),
    ),
    "AlreadyJoined": Said(
        _("Laporan ini sudah digabungkan"),
        _("Untuk menggabungkannya dengan laporan lain, pisahkan dahulu. Tidak ada yang berubah."),
    ),
    "NotJoined": Said(_("Laporan ini tidak sedang menunggu laporan lain"), UNCHANGED),
    "CannotJoin": Said(_("Kedua laporan ini tidak dapat digabungkan"), UNCHANGED),
    "join-with-itself": Said(
        _("Laporan tidak dapat digabungkan dengan dirinya sendiri"),
        _("Tulis nomor tiket laporan lain. Tidak ada yang berubah."),
    ),
    "first-is-joined": Said(
        _("Laporan yang Anda pilih sendiri sudah digabungkan"),
        _("Gabungkan laporan ini dengan laporan yang pertama di antaranya. Tidak ada yang berubah."),
    ),
    "first-was-withdrawn": Said(
        _("Laporan yang Anda pilih sudah dicabut"), _("Pilih laporan lain. Tidak ada yang berubah.")
    ),
    "first-is-decided": Said(
        _("Laporan yang Anda pilih sudah diputuskan"),
        _("Klasifikasikan laporan ini sendiri. Tidak ada yang berubah."),
    ),
    "others-are-joined": Said(
        _("Laporan lain menunggu laporan ini"),
        _("Gabungkan laporan yang Anda pilih dengan laporan ini. Tidak ada yang berubah."),
    ),
    "answered-before": Said(
        _("Laporan ini sudah pernah dijawab, dan pelapor berkeberatan"),
        _("Klasifikasikan laporan ini sendiri. Tidak ada yang berubah."),
    ),
    "conflict-unlike-first": Said(
        _("Hanya tentang laporan ini pelapor menyebut benturan kepentingan"),
        _(
            "Menurut pelapor, orang yang dilaporkan memimpin atau menjadi anggota tim pengaduan di instansinya. "
            "Gabungkan laporan yang Anda pilih dengan laporan ini, atau klasifikasikan laporan ini sendiri. Tidak ada "
            "yang berubah."
        ),
    ),
    "AlreadyGathered": Said(
        _("Perangkat daerah ini sudah menanggapi, atau sedang diminta"),
        _("Pilih perangkat daerah lain. Tidak ada yang berubah."),
    ),
    "gathered-enough": Said(
        _("Tidak dapat diteruskan kepada perangkat daerah lain lagi"),
        _("Tanggapan yang disimpan sudah sebanyak yang dapat disimpan. Tidak ada yang berubah."),
    ),
    "NothingGathered": Said(
        _("Tidak ada tanggapan yang disimpan"),
        _("Klasifikasikan laporan ini. Tidak ada yang berubah."),
    ),
    "NoInformation": Said(_("Laporan ini sudah diklasifikasi sebagai pengaduan"), UNCHANGED),
    "NoDocumentYet": Said(
        _("Dokumen ini belum ada"),
        _("Langkah yang membuatnya belum selesai. Lihat perjalanan laporan, lalu coba lagi sesudah langkah itu."),
    ),
    "BeingPrepared": Said(
        _("Sedang disiapkan"), _("Laporan ini sudah kami terima; yang Anda minta belum siap. Coba lagi sebentar lagi.")
    ),
    "IdentityWithheld": Said(
        _("Identitas pelapor dirahasiakan"),
        _("Pelapor meminta kerahasiaan: siapa dia tidak ditampilkan kepada siapa pun, juga tidak dalam dokumen."),
    ),
    "UnknownUpload": Said(
        _("Berkas tidak ditemukan"),
        _("Berkas yang tidak dilampirkan dalam satu hari dihapus. Pilih berkasnya lagi, lalu kirim lagi."),
    ),
    "UploadHeaderInvalid": Said(_("Berkas ini tidak dapat dikirim"), _("Pilih berkasnya lagi, lalu kirim lagi.")),
    "UploadTooLong": Said(_("Berkas ini terlalu besar"), _("Pilih berkas yang lebih kecil, lalu kirim lagi.")),
    "UploadOverrun": Said(
        _("Berkas ini berubah selama dikirim"), _("Tidak ada yang dilampirkan. Pilih berkasnya lagi, lalu kirim lagi.")
    ),
    "UploadInUse": Said(_("Berkas ini sedang dikirim lewat sambungan lain"), _("Tunggu sebentar, lalu coba lagi.")),
    "UploadNotReady": Said(
        _("Berkas ini belum selesai dikirim atau diperiksa"), _("Tunggu sebentar, lalu kirim lagi.")
    ),
    "UploadAttached": Said(
        _("Berkas ini sudah menjadi bukti"), _("Berkas yang sudah dilampirkan tidak dapat dibuang.")
    ),
    "UploadRefused": Said(
        _("Berkas ini ditolak"), _("Keluarkan berkas yang ditolak, atau pilih yang lain, lalu kirim lagi.")
    ),
    "TooManyFiles": Said(_("Terlalu banyak berkas"), _("Keluarkan sebagian berkas, lalu kirim lagi.")),
    "FilesTooLong": Said(_("Berkas-berkas ini terlalu besar"), _("Keluarkan sebagian berkas, lalu kirim lagi.")),
    "UploadsFull": Said(
        _("Terlalu banyak berkas Anda yang belum dilampirkan"),
        _("Lampirkan atau keluarkan sebagian. Yang tidak dilampirkan kami hapus setelah sehari."),
    ),
    "FileHeldBack": Said(
        _("Berkas ini belum boleh dibuka"),
        _("Berkas ini menunggu pemindaian virus, atau berisi virus. Coba lagi nanti."),
    ),
    "FileLost": Said(
        _("Berkas ini tidak ada lagi di penyimpanan"),
        _("Beri tahu admin dan sebutkan kode di bawah ini. Laporannya sendiri tetap berjalan."),
    ),
    "files-away": Said(
        _("Berkas belum dapat disimpan atau dibuka"),
        _("Apa yang sudah diterima tidak akan hilang. Coba lagi sebentar lagi."),
    ),
    "broken-off": Said(
        _("Pengiriman berkas terputus"), _("Belum ada yang dilampirkan. Periksa sambungan Anda, lalu kirim lagi.")
    ),
    "UnknownFile": Said(
        _("Berkas tidak ditemukan"), _("Laporan ini tidak memiliki berkas dengan nomor itu yang boleh Anda buka.")
    ),
    "FileAttachedBefore": Said(
        _("Berkas ini sudah dilampirkan di tempat lain"),
        _("Tidak ada yang dilampirkan. Pilih berkasnya sekali lagi, lalu kirim."),
    ),
    "ReportFull": Said(_("Laporan ini sudah penuh"), _("Tidak ada berkas yang ditambahkan.")),
    "AddedTooOften": Said(
        _("Laporan ini sudah terlalu sering ditambahi"), _("Tidak ada yang ditambahkan. Tulislah laporan baru.")
    ),
    "SupplementTooLate": Said(
        _("Laporan ini tidak menerima tambahan lagi"),
        _("Sudah lewat sepuluh hari kerja sejak laporan ini selesai. Bila perlu, tulislah laporan baru."),
    ),
    "document-slow": Said(
        _("Dokumen ini sedang terlalu lama dibuat"), _("Laporannya sendiri tetap berjalan. Coba lagi sebentar lagi.")
    ),
    "document-failed": Said(
        _("Dokumen ini gagal dibuat"), _("Laporannya sendiri tetap berjalan. Sebutkan kode di bawah ini kepada kami.")
    ),
    "csrf": Said(
        _("Halaman ini terbuka terlalu lama"),
        _(
            "Demi keamanan, formulir ini belum dikirim dan belum ada yang dikerjakan. Buka kembali, lalu kirim lagi. "
            "Bila ini terus terjadi, izinkan kuki untuk situs ini."
        ),
    ),
    400: Said(_("Permintaan ini tidak dapat dibaca"), _("Kembali ke halaman sebelumnya, muat ulang, lalu coba lagi.")),
    404: Said(_("Halaman ini tidak ada"), _("Periksa alamatnya, atau kembali ke beranda.")),
    405: Said(_("Halaman ini tidak dapat dibuka dengan cara itu"), _("Kembali ke beranda, lalu pilih dari menu.")),
    413: Said(
        _("Tulisan ini terlalu panjang"),
        _(
            "Satu tulisan paling banyak 20.000 karakter. Tekan tombol Kembali pada peramban: tulisan Anda masih ada di "
            "sana. Ringkaslah, lalu kirim lagi."
        ),
    ),
    500: Said(
        _("Ada yang gagal di pihak kami"),
        _("Ini bukan kesalahan Anda. Coba lagi; bila tetap gagal, sebutkan kode di bawah ini kepada kami."),
    ),
    "unsure": Said(
        _("Sebagian layanan sedang tidak dapat dihubungi"),
        _(
            "Belum dapat kami pastikan apakah yang baru saja Anda kirim sudah sampai. Apa yang sudah kami terima "
            "tersimpan, dan mengirim lagi tidak akan menggandakan apa pun: lihat dulu keadaannya sebentar lagi, lalu "
            "kirim lagi bila perlu."
        ),
    ),
    503: Said(
        _("Sebagian layanan sedang tidak dapat dihubungi"),
        _("Apa yang sudah diterima tidak akan hilang. Coba lagi sebentar lagi."),
    ),
}


def of_pages(pages: Blueprint) -> None:
    """Register handlers that answer the faults of `pages` with pages."""
    pages.register_error_handler(RefusedRemotelyError, _refused_remotely)
    pages.register_error_handler(Refused, _refused)
    pages.register_error_handler(StageUnavailableError, _unavailable)
    pages.register_error_handler(RenderingTooSlowError, _too_slow)
    pages.register_error_handler(StoreError, _files_away)
    pages.register_error_handler(TooManyUploadsError, _files_away)
    pages.register_error_handler(LeavingError, _files_away)
    pages.register_error_handler(BrokenOffError, _broken_off)
    pages.register_error_handler(TooSlowError, _broken_off)
    pages.register_error_handler(RenderingFailedError, _unmade)
    pages.register_error_handler(HTTPException, _http)
    pages.register_error_handler(Exception, _unexpected)


def register(app: Flask) -> None:
    """Register handlers that answer unknown addresses with pages; those under the API's keep problem documents."""
    app.register_error_handler(404, _nothing_here)
    app.register_error_handler(405, _nothing_here)


def carried() -> dict[str, str]:
    """Return what was typed into the form of a failed request, without secrets; nothing of a form from another site.

    Threat: another site could post its own text here, which would be shown as the visitor's. Browsers send the origin.
    """
    if request.method != "POST" or not _from_here():
        return {}
    try:
        uploading.read_fields()
        return {name: value for name, value in typed().items() if name not in SECRETS}
    except RequestEntityTooLarge:
        return {}


def page(status: int, said: Said, **more: Any) -> Response:
    """Return the page about a fault."""
    body = render_template("fault.html", status=status, said=said, request_id=g.get("correlation_id"), **more)
    response = make_response(body, status)
    if status == 503:
        response.headers["Retry-After"] = str(errors.RETRY_AFTER_SECONDS)
    return response


def title_of(error: Exception) -> Any:
    """Return the title that says why one case among several was refused, or could not be acted on."""
    if isinstance(error, StageUnavailableError):
        return SAID["unsure"].title
    name = error.name if isinstance(error, RefusedRemotelyError) else type(error).__name__
    return SAID.get(name, SAID[500] if isinstance(error, StageFailedError) else DONE).title


def _refused_remotely(error: RefusedRemotelyError) -> ResponseReturnValue:
    return _refusal(error.name, error.code, error.details)


def _refused(error: Refused) -> ResponseReturnValue:
    return _refusal(type(error).__name__, error.code, error.details)


def _refusal(name: str, code: str, details: dict[str, Any]) -> ResponseReturnValue:
    if name == "NotAuthenticated":
        return _log_in_first()
    status = errors.STATUS.get(name)
    if status is None:
        log.error("refusal without a status", refusal=name)
        return page(500, SAID[500])
    said = SAID.get(code) or SAID.get(name) or (DONE if status == 409 else SAID[400])
    who = _who_did_it() if said is DONE else None
    return page(status, said, stands=details.get("stands"), typed=carried(), who=who, claim=_claim(details))


def _logged_out() -> bool:
    """Return whether the form is for logged-in visitors, and the visitor's log-in has ended."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "needs_log_in", False) and session.known_actor() is None


def _log_in_first(is_logged_out: bool = False) -> ResponseReturnValue:
    if "actor" in g:
        # The gateway accepted the token, the stage rejected it: drop the cookies, or the log-in page redirects in a
        # loop.
        session.leave()
    if "HX-Request" in request.headers:
        return Response(status=401, headers={"HX-Redirect": url_for("public.log_in")})
    if request.method == "GET":
        return redirect(url_for("public.log_in", ke=within_site(request.full_path.rstrip("?"))), 303)
    left = carried()
    return make_response(
        render_template(
            "log_in.html",
            form=Form(),
            onward=request.path,
            expired=True,
            is_logged_out=is_logged_out,
            carried=json.dumps(left, ensure_ascii=False) if left else None,
        ),
        401,
    )


def _who_did_it() -> dict[str, Any] | None:
    """Return who did this role's last act on the complaint, and when; None where that is not available."""
    visitor, ticket = session.known_actor(), (request.view_args or {}).get("ticket")
    if visitor is None or ticket is None:
        return None
    try:
        acts = [entry for entry in complaints.journey(ticket)["entries"] if entry["role"] == visitor.role]
    except (RefusedRemotelyError, Refused, StageUnavailableError, StageFailedError):
        return None
    if not acts:
        return None
    by = acts[-1].get("by") or ""
    return {"at": acts[-1]["at"], "self": by == visitor.id, "name": colleagues.names([by]).get(by)}


def _claim(details: dict[str, Any]) -> colleagues.Claim | None:
    told = details.get("claim")
    return colleagues.claim(told, colleagues.names([told["by"]])) if told else None


def _unavailable(error: StageUnavailableError) -> Response:
    log.warning("stage unavailable", stage=str(error), why=error.why)
    return page(503, SAID[503 if request.method == "GET" else "unsure"], resume=carried())


def _files_away(error: StoreError | TooManyUploadsError | LeavingError) -> Response:
    log.warning("files not taken or shown", why=type(error).__name__)
    return page(503, SAID["files-away"], resume=carried())


def _broken_off(_error: BrokenOffError | TooSlowError) -> Response:
    return page(408, SAID["broken-off"], resume=carried())


def _too_slow(_error: RenderingTooSlowError) -> Response:
    return page(503, SAID["document-slow"])


def _unmade(error: RenderingFailedError) -> Response:
    log.error("document failed", reason=str(error))
    return page(500, SAID["document-failed"])


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if isinstance(error, CSRFError):
        if _logged_out():
            return _log_in_first(is_logged_out=True)
        return page(400, SAID["csrf"], resume=carried())
    if status < 400:
        return error
    if status == 429:
        return _too_many(seconds_to_wait())
    response = page(status, SAID.get(status) or SAID[500 if status >= 500 else 400])
    response.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
    return response


def _too_many(seconds: int) -> Response:
    said = Said(
        _("Terlalu banyak percobaan"),
        _(
            "Dari jaringan atau akun Anda sudah terlalu banyak permintaan. Coba lagi sesudah %(at)s.",
            at=moment(write_instant(now() + timedelta(seconds=seconds))),
        ),
    )
    response = page(429, said, resume=carried())
    response.headers["Retry-After"] = str(seconds)
    return response


def _unexpected(error: Exception) -> Response:
    if not isinstance(error, StageFailedError):
        log.error("request failed", exc_info=error)
    return page(500, SAID[500], resume=carried())


def _nothing_here(error: HTTPException) -> ResponseReturnValue:
    if request.path.startswith(NOT_PAGES) or request.path == "/api":
        return errors.of_http(error)
    response = make_response(_http(error))
    return compression.compress(headers.add(session.keep(response)))


def _from_here() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.host
