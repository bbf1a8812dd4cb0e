"""The page's words for each code of a field's fault in `nkk.sop.faults`."""

from collections.abc import Mapping
from typing import Any

from flask_babel import get_locale, lazy_gettext

_ = lazy_gettext

REQUIRED = _("Bagian ini wajib diisi.")
CHOOSE = _("Pilih salah satu dari pilihan yang ada.")
LOOK_AGAIN = _("Isian ini perlu diperbaiki.")
NO_TEXT = _("Ada karakter yang bukan teks (misalnya emoji yang rusak). Hapus lalu ketik lagi.")
LENGTH = _("Panjangnya harus %(least)s sampai %(most)s karakter.")
NO_HOURS = _("Tulis jamnya seperti 08.00-12.00, 13.00-16.00.")
LISTED_NO_MORE = _("Kategori ini tidak ada lagi dalam daftar. Pilih yang lain.")

WORDS = {
    "missing": REQUIRED,
    "null": REQUIRED,
    "empty": REQUIRED,
    "nothing-added": _("Tulis keterangan, atau pilih berkas."),
    "not-a-string": CHOOSE,
    "not-a-boolean": CHOOSE,
    "not-one-of": CHOOSE,
    "none-left": _("Paling sedikit satu harus ada: yang terakhir tidak dapat dihapus."),
    "too-many": _("Paling banyak %(most)s."),
    "wrong-length": LENGTH,
    "too-long": _("Terlalu panjang: paling banyak %(most)s karakter."),
    "half-emoji": NO_TEXT,
    "no-text": NO_TEXT,
    "same-name": _(
        "Nama yang sama dipakai dua kali, pada kode %(one)s dan %(other)s. Beri masing-masing nama sendiri."
    ),
    "no-key": _("Huruf kecil, angka, dan tanda hubung."),
    "no-upload": _("Ada berkas yang tidak sampai. Pilih sekali lagi, lalu kirim."),
    "no-month": _("Tulis bulannya seperti 2026-03."),
    "wrong-years": _("Tahunnya harus antara %(least)s dan %(most)s."),
    "no-address": _("Ini bukan alamat surel. Contoh: nama@example.id"),
    "one-address": _("Tulis satu alamat saja, tanpa nama. Contoh: nama@example.id"),
    "hidden-sign": _("Alamat ini memuat tanda yang tidak tampak. Hapus, lalu ketik lagi."),
    "address-not-plain": _(
        "Surat kami tidak dapat menuju alamat ini: sebelum tanda @ hanya boleh huruf biasa (a-z), angka dan tanda."
    ),
    "no-domain": _("Sesudah tanda @ tulis nama domain yang lengkap. Contoh: nama@example.id"),
    "superior-alone": _("Isi juga surel timnya: atasan hanya disurati bersama timnya. Atau kosongkan surel atasan."),
    "phone-empty": _("Kosongkan bila tidak ada nomornya."),
    "phone-with-words": _("Tulis nomornya saja, tanpa kata seperti WA dan tanpa nomor ekstensi."),
    "several-phones": _("Tulis satu nomor saja."),
    "phone-too-short": _("Terlalu pendek: paling sedikit %(least)s angka, dengan kode wilayahnya."),
    "phone-too-long": _("Terlalu panjang: paling banyak %(most)s angka."),
    "no-phone": _("Hanya angka, boleh diawali tanda +. Contoh: 0812 0000 0000"),
    "no-username": _("3 sampai 64 huruf kecil, angka, titik, tanda hubung atau garis bawah; diawali huruf atau angka."),
    "username-taken": _("Nama pengguna ini sudah dipakai. Pilih yang lain."),
    "either-name-or-address": _("Isi salah satu: nama pengguna atau alamat surel."),
    "password-length": LENGTH,
    "password-too-plain": _("Pakai paling sedikit %(least)s karakter yang berbeda."),
    "password-has-username": _("Kata sandi tidak boleh memuat nama pengguna."),
    "wrong-password": _("Kata sandi sekarang salah. Setelah terlalu banyak kali salah, Anda diminta menunggu."),
    "slowed-down": _(
        "Terlalu banyak kata sandi salah dari sini. Coba lagi sesudah pukul %(at)s WIB; sebelum itu kata sandi yang "
        "benar pun tidak diterima."
    ),
    "code-expired": _(
        "Kode ini tidak berlaku lagi, atau tersalin kurang lengkap. Kode berlaku satu kali, selama satu jam, dan "
        "hanya yang terbaru. Salin lagi dari surat, atau minta kode baru."
    ),
    "access-code-refused": _(
        "Kode ini tidak membuka akun. Periksa keenam belas huruf dan angkanya. Kode berlaku satu kali, selama 90 hari: "
        "bila pernah Anda pakai, masuklah dengan nama pengguna yang Anda pilih waktu itu; bila tidak, hubungi kami "
        "dengan nomor tiket Anda."
    ),
    "number-length": _("%(kind)s terdiri dari %(digits)s angka; yang ini %(given)s."),
    "number-not-digits": _("%(kind)s terdiri dari %(digits)s angka, tanpa huruf atau tanda lain."),
    "nik-province": _("Ini bukan NIK: angka ke-1 dan ke-2, kode provinsi, mulai dari 11. Periksa setiap angka."),
    "nik-day": _("Ini bukan NIK: angka ke-7 dan ke-8, tanggal lahir, 01 sampai 31, atau 41 sampai 71 untuk perempuan."),
    "nik-month": _("Ini bukan NIK: angka ke-9 dan ke-10, bulan lahir, 01 sampai 12."),
    "nik-date": _("Ini bukan NIK: tanggal lahir pada angka ke-7 sampai ke-12 tidak ada. Periksa setiap angka."),
    "nik-serial": _("Ini bukan NIK: angka ke-13 sampai ke-16, nomor urut, tidak pernah 0000."),
    "nip-birth": _(
        "Ini bukan NIP: tanggal lahir pada angka ke-1 sampai ke-8 (tahun, bulan, tanggal) tidak ada. Periksa setiap "
        "angka."
    ),
    "nip-appointment": _(
        "Ini bukan NIP: pengangkatan pada angka ke-9 sampai ke-14 (tahun, bulan) tidak mungkin. Periksa setiap angka."
    ),
    "nip-sex": _("Ini bukan NIP: angka ke-15 adalah 1 untuk laki-laki atau 2 untuk perempuan."),
    "nip-serial": _("Ini bukan NIP: angka ke-16 sampai ke-18, nomor urut, tidak pernah 000."),
    "no-such-category": LISTED_NO_MORE,
    "no-such-sub-category": LISTED_NO_MORE,
    "no-ticket": _("Ini bukan nomor tiket. Bentuknya NKK-2026-XXXX-XXXX; periksa setiap huruf dan angkanya."),
    "no-such-case": _("Tidak ada laporan dengan nomor ini di meja Anda. Periksa nomornya."),
    "no-such-colleague": _("Tidak ada rekan di sebuah meja dengan nama pengguna ini. Periksa ejaannya."),
    "no-such-opd": _("Pilih satu perangkat daerah dari daftar."),
    "opd-of-information": _("Informasi dijawab operator: kosongkan perangkat daerahnya."),
    "conflict-without-reason": _(
        "Orang yang dilaporkan mungkin anggota tim ini. Pilih perangkat daerah lain, atau tuliskan mengapa tetap ke "
        "sana."
    ),
    "refusal-without-note": _("Tuliskan mengapa waktunya tidak ditambah: Tim NKK Pembantu membacanya."),
    "return-without-note": _(
        "Tuliskan apa yang kurang dari tanggapan ini: Tim NKK Pembantu bekerja dari catatan Anda."
    ),
    "team-without-opd": _("Tim NKK Pembantu harus punya satu perangkat daerah. Pilih dari daftar."),
    "opd-without-team": _("Hanya Tim NKK Pembantu yang punya perangkat daerah. Kosongkan bagian ini."),
    "half-a-row": _("Isi kode dan namanya, atau kosongkan keduanya."),
    "key-twice": _("Kode ini sudah dipakai di baris lain."),
    "few-hours": _("Jam buka sepekan berjumlah %(hours)s jam; harus paling sedikit %(least)s jam."),
    "no-time": NO_HOURS,
    "no-hours": NO_HOURS,
    "spans-overlap": _("Jam buka dalam satu hari harus berurutan dan tidak boleh bertumpukan."),
    "span-backwards": _("Jam tutup harus sesudah jam buka, pada hari yang sama."),
    "many-seasons": _("Paling banyak %(most)s musim."),
    "seasons-overlap": _("Dua musim memuat tanggal yang sama. Akhiri yang satu sebelum yang lain mulai."),
    "season-length": _(
        "Hari terakhir musim tidak boleh sebelum hari pertamanya, dan musim paling lama %(most)s hari kalender."
    ),
    "many-days": _("Paling banyak %(most)s hari khusus."),
    "no-date": _("Tulis tanggalnya seperti 2026-03-19."),
    "name-length": _("Beri nama, paling banyak %(most)s karakter."),
    "out-of-range": _("Tulis angka dari %(least)s sampai %(most)s."),
    "no-day-chosen": _("Pilih paling sedikit satu hari."),
}

# Faults that no visitor can cause through the site's own forms.
WORDS |= dict.fromkeys(
    (
        "unknown-field",
        "sent-twice",
        "invalid",
        "not-a",
        "not-an-object",
        "not-nested",
        "no-match",
        "no-cursor",
        "no-idempotency-key",
        "month-to-come",
        "not-on-roster",
        "no-calendar",
        "calendar-lacks",
        "not-of-a-calendar",
        "no-week",
        "no-spans",
        "no-span",
        "no-season",
        "no-day",
        "no-years",
        "kept-by-system",
        "joint-leave-years",
    ),
    LOOK_AGAIN,
)


def sentence(fault: Any) -> str:
    """Return `fault` in the page's language. A fault from a stage of an earlier version is a sentence already."""
    if not isinstance(fault, Mapping):
        return str(fault)
    written = dict(fault)
    if str(get_locale()) != "en":
        written |= {"at": str(fault.get("at")).replace(":", "."), "hours": str(fault.get("hours")).replace(".", ",")}
    return str(WORDS.get(fault["code"], LOOK_AGAIN)) % written
