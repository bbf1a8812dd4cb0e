"""What pages say about each refusal and failure: what it means, and what to do."""

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext

_ = lazy_gettext


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
    "NotYourStep": Said(_("Laporan ini tidak sedang di langkah Anda"), UNCHANGED),
    "NoResponseYet": Said(_("Belum ada tanggapan untuk diperiksa"), UNCHANGED),
    "NotAnsweredYet": Said(_("Belum ada jawaban untuk dikonfirmasi"), UNCHANGED),
    "AlreadyConfirmed": Said(_("Anda sudah mengonfirmasi penerimaan"), UNCHANGED),
    "Withdrawn": Said(
        _("Pelapor sudah mencabut laporan ini"),
        _("Tidak ada yang berubah. Laporan ini tidak dikerjakan lagi."),
    ),
    "Abandoned": Said(
        _("Laporan ini sudah ditutup"),
        _("Pertanyaan kepada pelapor tidak dijawab, dan petugas menutup laporan ini. Tidak ada yang berubah."),
    ),
    "RespondedBefore": Said(
        _("Laporan ini tidak dapat ditutup"),
        _(
            "Sudah ada tanggapan atas laporan ini, sehingga pelapor tetap dijawab. Tanggapi dengan keterangan yang "
            "ada, atau kembalikan kepada Tim NKK Utama. Tidak ada yang berubah."
        ),
    ),
    "NothingLapsed": Said(
        _("Laporan ini tidak dapat ditutup"),
        _("Pelapor belum ditanya pada langkah ini, sudah menjawab, atau masih dapat menjawab. Tidak ada yang berubah."),
    ),
    "AlreadyWithdrawn": Said(_("Anda sudah mencabut laporan ini"), UNCHANGED),
    "TooLateToWithdraw": Said(
        _("Laporan ini sudah dijawab"),
        _(
            "Karena itu ia tidak dapat dicabut lagi. Bacalah jawabannya. Bila Anda tidak puas, nyatakan keberatan "
            "selama halaman laporan menawarkannya."
        ),
    ),
    "AlreadyClosed": Said(
        _("Laporan ini sudah selesai"),
        _(
            "Karena itu ia tidak dapat dicabut lagi. Bila Anda tidak puas dengan jawabannya, nyatakan keberatan selama "
            "halaman laporan menawarkannya."
        ),
    ),
    "AlreadyObjected": Said(
        _("Anda sudah menyatakan keberatan"),
        _("Keberatan dapat dinyatakan satu kali. Tidak ada yang berubah. Untuk hal lain, tulislah laporan baru."),
    ),
    "QuestionOpen": Said(
        _("Pelapor sudah ditanya dan belum menjawab"),
        _("Pertanyaan sebelumnya belum dijawab. Tidak ada yang berubah."),
    ),
    "ReporterUnreachable": Said(
        _("Pelapor ini tidak dapat ditanya lewat layanan ini"),
        _(
            "Ia tidak memberi alamat surel dan belum membuka akunnya, sehingga pertanyaan tidak sampai kepadanya. "
            "Operator dapat meneleponnya; jawabannya ditulis sebagai catatan. Tidak ada yang berubah."
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
        _(
            "Petugas melanjutkan dengan keterangan yang ada, atau menutup laporan. Bila penting, kirim keterangan Anda "
            "dengan “Tambah keterangan atau bukti” selama halaman laporan menawarkannya. Tidak ada yang berubah."
        ),
    ),
    "QuestionOvertaken": Said(
        _("Jawaban atas pertanyaan ini tidak diperlukan lagi"),
        _(
            "Laporan Anda sudah berlanjut, atau berakhir. Bila penting, kirim keterangan Anda dengan “Tambah "
            "keterangan atau bukti” selama halaman laporan menawarkannya. Tidak ada yang berubah."
        ),
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
    "first-was-abandoned": Said(
        _("Laporan yang Anda pilih sudah ditutup"), _("Pilih laporan lain. Tidak ada yang berubah.")
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
