"""The page's words for each code of a refused file in `gateway.files.errors`."""

from typing import Any

from flask_babel import lazy_gettext

from gateway.files.errors import MEGAPIXELS

_ = lazy_gettext

NOT_TAKEN = _(
    "Jenis berkas ini tidak kami terima. Kami menerima foto (JPEG, PNG, WebP, HEIC), PDF, dokumen (DOCX, XLSX, PPTX, "
    "ODT, ODS, TXT, CSV), suara (MP3, M4A, OGG, AMR, WAV) dan video (MP4, 3GP, WebM, MOV). Yang menentukan isinya, "
    "bukan namanya."
)

WORDS = {
    "empty": _("Berkas ini kosong. Pilih sekali lagi; di ponsel, tunggu sampai berkasnya selesai diunduh."),
    "not-taken": NOT_TAKEN,
    "program": _("Ini sebuah program atau skrip; itu tidak kami terima."),
    "archive": _("Ini sebuah arsip (seperti ZIP); itu tidak kami terima. Kirim berkas di dalamnya satu per satu."),
    "web-page": _(
        "Ini halaman web atau gambar SVG, yang dapat memuat skrip. Simpan sebagai PDF, atau kirim tangkapan layarnya."
    ),
    "macros": _("Dokumen ini memuat makro atau program lain. Simpan tanpa makro, atau sebagai PDF."),
    "scripts": _(
        "PDF ini memuat skrip atau menjalankan program. Biarkan data tersembunyinya dihapus; skripnya ikut hilang."
    ),
    "old-office": _(
        "Ini dokumen dari program perkantoran sebelum 2007. Simpan sebagai DOCX, XLSX, PPTX atau PDF, lalu kirim."
    ),
    "several-types": _("Berkas ini sekaligus dua jenis berkas. Simpan ulang sebagai satu jenis."),
    "broken": _(
        "Berkas ini tidak terbaca sampai akhir: rusak atau terpotong. Buka di perangkat Anda, simpan ulang, lalu kirim "
        "yang itu."
    ),
    "too-many-pixels": _("Gambar ini lebih dari %(most)s juta piksel. Perkecil, atau kirim bagian-bagiannya."),
    "moving-picture": _("Gambar ini bergerak. Kirim sebagai video, atau sebagai beberapa gambar."),
    "embedded": _(
        "Dokumen ini memuat berkas lain yang tidak dapat kami bersihkan, misalnya suara atau gambar dari program lain. "
        "Kirim berkas itu tersendiri, simpan dokumennya sebagai PDF, atau pilih menyimpan aslinya."
    ),
    "uncleanable": _(
        "Data tersembunyi dalam rekaman ini tidak dapat dihapus; mungkin rekamannya rusak. Simpan ulang di perangkat "
        "Anda, atau pilih menyimpan aslinya."
    ),
    "too-complex": _(
        "Memeriksa berkas ini memakan terlalu banyak waktu atau memori. Simpan per bagian, atau sebagai jenis lain."
    ),
    "infected": _("Ada virus dalam berkas ini. Berkas ini tidak dapat dibuka siapa pun; yang lain tidak terpengaruh."),
}


def refusal(code: str, **parameters: Any) -> str:
    """Return in the page's language why a file is refused; its type, where the code is of a later version."""
    return str(WORDS.get(code, NOT_TAKEN)) % {"most": MEGAPIXELS, **parameters}
