"""What the schemas and the stages say is wrong with a field, in the page's language.

They speak English to programs; people read these. The first pattern that a sentence matches counts.
"""

import re

from flask_babel import get_locale, gettext, lazy_gettext

_ = lazy_gettext

SENTENCES = {
    r"Missing data for required field\.|Field may not be null\.|Write something here: it is empty\.": _(
        "Bagian ini wajib diisi."
    ),
    r"Length must be between (?P<least>\d+) and (?P<most>\d+)\.|(?P<shortest>\d+) to (?P<longest>\d+) characters\.": _(
        "Panjangnya harus %(least)s sampai %(most)s karakter."
    ),
    r"Give the team's own address as well: .*": _(
        "Isi juga surel timnya: atasan hanya disurati bersama timnya. Atau kosongkan surel atasan."
    ),
    r"Longer than maximum length (?P<most>\d+)\.": _("Terlalu panjang: paling banyak %(most)s karakter."),
    r"Give the user name or the e-mail address, not both\.": _("Isi salah satu: nama pengguna atau alamat surel."),
    r"Must be one of: .*|One of .*|Not a valid (boolean|string)\.": _("Pilih salah satu dari pilihan yang ada."),
    r"Small letters, digits and hyphens only\.": _("Huruf kecil, angka, dan tanda hubung."),
    r"Not a valid email address\.": _("Ini bukan alamat surel. Contoh: nama@example.id"),
    r"A sign that nobody sees stands in this address: .*": _(
        "Alamat ini memuat tanda yang tidak tampak. Hapus, lalu ketik lagi."
    ),
    r"Before the @ of an address .*": _(
        "Surat kami tidak dapat menuju alamat ini: sebelum tanda @ hanya boleh huruf biasa (a-z), angka dan tanda."
    ),
    r"After the @ write a whole domain, .*": _(
        "Sesudah tanda @ tulis nama domain yang lengkap. Contoh: nama@example.id"
    ),
    r"Digits, with \+ in front where needed\.": _("Hanya angka, boleh diawali tanda +. Contoh: 0812 0000 0000"),
    r"Leave it out where there is no number\.": _("Kosongkan bila tidak ada nomornya."),
    r"The number alone, without words and extensions\.": _(
        "Tulis nomornya saja, tanpa kata seperti WA dan tanpa nomor ekstensi."
    ),
    r"One number only\.": _("Tulis satu nomor saja."),
    r"Too short: at least (?P<least>\d+) digits, .*": _(
        "Terlalu pendek: paling sedikit %(least)s angka, dengan kode wilayahnya."
    ),
    r"Too long: at most (?P<most>\d+) digits\.": _("Terlalu panjang: paling banyak %(most)s angka."),
    r"One address, without a name\.": _("Tulis satu alamat saja, tanpa nama. Contoh: nama@example.id"),
    r"Contains characters that are no text.*": _(
        "Ada karakter yang bukan teks (misalnya emoji yang rusak). Hapus lalu ketik lagi."
    ),
    r"3 to 64 small letters, digits, .*": _(
        "3 sampai 64 huruf kecil, angka, titik, tanda hubung atau garis bawah; diawali huruf atau angka."
    ),
    r"Use at least (?P<most>\d+) different characters\.": _("Pakai paling sedikit %(most)s karakter yang berbeda."),
    r"Must not contain the user name\.": _("Kata sandi tidak boleh memuat nama pengguna."),
    r"Between the years (?P<least>\d+) and (?P<most>\d+)\.": _("Tahunnya harus antara %(least)s dan %(most)s."),
    r"Write the month as 2026-03\.": _("Tulis bulannya seperti 2026-03."),
    r"Office hours are written like .*|Times are written HH:MM, .*": _(
        "Tulis jamnya seperti 08.00-12.00, 13.00-16.00."
    ),
    r"The spans of a day go one after the other, none overlapping\.": _(
        "Jam buka dalam satu hari harus berurutan dan tidak boleh bertumpukan."
    ),
    r"An office closes after it has opened, on the same day\.": _(
        "Jam tutup harus sesudah jam buka, pada hari yang sama."
    ),
    r"A list of at most (?P<most>\d+) seasons\.": _("Paling banyak %(most)s musim."),
    r"Two seasons share a date: .*": _("Dua musim memuat tanggal yang sama. Akhiri yang satu sebelum yang lain mulai."),
    r"A season ends on or after .* at most (?P<most>\d+) days\.": _(
        "Hari terakhir musim tidak boleh sebelum hari pertamanya, dan musim paling lama %(most)s hari kalender."
    ),
    r"At most (?P<most>\d+) days, each under its date\.": _("Paling banyak %(most)s hari khusus."),
    r"Dates are written like 2026-03-19, .*": _("Tulis tanggalnya seperti 2026-03-19."),
    r"Say in 1 to (?P<most>\d+) characters what it is\.": _("Beri nama, paling banyak %(most)s karakter."),
    r"The office hours of an ordinary week add up to (?P<hours>[\d.]+); at least (?P<most>\d+) are needed\.": _(
        "Jam buka sepekan berjumlah %(hours)s jam; harus paling sedikit %(most)s jam."
    ),
    r"Choose at least one day\.": _("Pilih paling sedikit satu hari."),
    r"Wrong\.": _("Kata sandi sekarang salah. Setelah terlalu banyak kali salah, Anda diminta menunggu."),
    r"Too many wrong passwords were given here\. Try again after (?P<at>\d\d:\d\d(:\d\d)?) WIB; .*": _(
        "Terlalu banyak kata sandi salah dari sini. Coba lagi sesudah pukul %(at)s WIB; sebelum itu kata sandi yang "
        "benar pun tidak diterima."
    ),
    r"This code is no longer good\.": _(
        "Kode ini tidak berlaku lagi, atau tersalin kurang lengkap. Kode berlaku satu kali, selama satu jam, dan "
        "hanya yang terbaru. Salin lagi dari surat, atau minta kode baru."
    ),
    r"Taken\. Choose another\.": _("Nama pengguna ini sudah dipakai. Pilih yang lain."),
    r"An OPD team belongs to one OPD of the roster\.": _(
        "Tim NKK Pembantu harus punya satu perangkat daerah. Pilih dari daftar."
    ),
    r"Only an OPD team belongs to an OPD\.": _(
        "Hanya Tim NKK Pembantu yang punya perangkat daerah. Kosongkan bagian ini."
    ),
    r"A (?P<kind>\S+) has (?P<most>\d+) digits; this has (?P<least>\d+)\.": _(
        "%(kind)s terdiri dari %(most)s angka; yang ini %(least)s."
    ),
    r"A (?P<kind>\S+) has (?P<most>\d+) digits and no other signs\.": _(
        "%(kind)s terdiri dari %(most)s angka, tanpa huruf atau tanda lain."
    ),
    r"This is no NIK: digits 1 and 2, .*": _(
        "Ini bukan NIK: angka ke-1 dan ke-2, kode provinsi, mulai dari 11. Periksa setiap angka."
    ),
    r"This is no NIK: digits 7 and 8, .*": _(
        "Ini bukan NIK: angka ke-7 dan ke-8, tanggal lahir, 01 sampai 31, atau 41 sampai 71 untuk perempuan."
    ),
    r"This is no NIK: digits 9 and 10, .*": _("Ini bukan NIK: angka ke-9 dan ke-10, bulan lahir, 01 sampai 12."),
    r"This is no NIK: the date .*": _(
        "Ini bukan NIK: tanggal lahir pada angka ke-7 sampai ke-12 tidak ada. Periksa setiap angka."
    ),
    r"This is no NIK: digits 13 .*": _("Ini bukan NIK: angka ke-13 sampai ke-16, nomor urut, tidak pernah 0000."),
    r"This is no NIP: the date .*": _(
        "Ini bukan NIP: tanggal lahir pada angka ke-1 sampai ke-8 (tahun, bulan, tanggal) tidak ada. Periksa setiap "
        "angka."
    ),
    r"This is no NIP: the appointment .*": _(
        "Ini bukan NIP: pengangkatan pada angka ke-9 sampai ke-14 (tahun, bulan) tidak mungkin. Periksa setiap angka."
    ),
    r"This is no NIP: digit 15 .*": _("Ini bukan NIP: angka ke-15 adalah 1 untuk laki-laki atau 2 untuk perempuan."),
    r"This is no NIP: digits 16 .*": _("Ini bukan NIP: angka ke-16 sampai ke-18, nomor urut, tidak pernah 000."),
    r"Choose a category of the catalogue .*|Choose a sub-category of this category .*": _(
        "Kategori ini tidak ada lagi dalam daftar. Pilih yang lain."
    ),
    r"Choose an agency of the roster .*": _("Pilih satu perangkat daerah dari daftar."),
    r"Information goes to the operator: .*": _("Informasi dijawab operator: kosongkan perangkat daerahnya."),
    r"Fill in both the key and the name, or neither\.": _("Isi kode dan namanya, atau kosongkan keduanya."),
    r"The same name stands under (?P<one>\S+) and (?P<other>\S+)\. Give each its own\.": _(
        "Nama yang sama dipakai dua kali, pada kode %(one)s dan %(other)s. Beri masing-masing nama sendiri."
    ),
    r"This key stands in another row\.": _("Kode ini sudah dipakai di baris lain."),
    r"Say what the response lacks: .*": _(
        "Tuliskan apa yang kurang dari tanggapan ini: Tim NKK Pembantu bekerja dari catatan Anda."
    ),
}

_PATTERNS = [(re.compile(pattern), said) for pattern, said in SENTENCES.items()]


def translated(sentence: str) -> str:
    """`sentence` for people. One that is not known yet still marks its field, and says that it needs another look."""
    for pattern, said in _PATTERNS:
        match = pattern.fullmatch(sentence)
        if match:
            return str(said) % _numbers(match)
    return gettext("Isian ini perlu diperbaiki.")


def _numbers(match: re.Match[str]) -> dict[str, str]:
    found = {name: value for name, value in match.groupdict().items() if value}
    at, hours = found.get("at", ""), found.get("hours", "")
    if str(get_locale()) != "en":
        at, hours = at.replace(":", "."), hours.replace(".", ",")
    return found | {
        "least": found.get("least", found.get("shortest", "")),
        "most": found.get("most", found.get("longest", "")),
        "at": at,
        "hours": hours,
    }
