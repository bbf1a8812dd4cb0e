"""The procedure's own texts in every document: its legal basis (SOP, part C) and unit (part D)."""

AGENCY = "Badan Kepegawaian dan Pengembangan Sumber Daya Manusia Daerah Kota Pangkalpinang"

LEGAL_BASIS = (
    "Undang-undang Nomor 5 Tahun 2014 tentang Aparatur Sipil Negara;",
    "Undang-undang Nomor 25 Tahun 2009 tentang pelayanan Publik;",
    "Peraturan Pemerintah Nomor 42 Tahun 2004 tentang Pembina Jiwa Korps dan Kode Etik;",
    "Peraturan Walikota Pangkalpinang Nomor 48 Tahun 2018 tentang Kode Etik Aparatur Sipil Negara di Lingkungan "
    "Pemerintah Kota Pangkalpinang;",
    "Surat Keputusan Walikota Pangkalpinang Nomor 188.45/064/KEP/BKPSDMD/II/2022 Tentang Pembentukan Tim Majelis Kode "
    "Etik ASN Dilingkungan Pemerintah Kota Pangkalpinang.",
)
"""The five items of part C, verbatim as signed, including misspellings."""

UNIT = "Bidang Informasi dan Komunikasi Publik"
SECTION = "Seksi Pengelolaan Informasi Publik"
UNIT_BASIS = "Permenkominfo Nomor 14 Tahun 2006"
