"""The default catalogue of categories and the default roster of agencies (OPD), which the city replaces by its own.

The SOP names no categories; these come from the laws it cites: UU 5/2014 art. 4 and 5(2), PP 42/2004 art. 7-12.
"""

CATEGORIES: dict[str, dict] = {
    "nilai-dasar": {
        "name": "Nilai dasar",
        "source": "UU 5/2014 pasal 4",
        "sub_categories": {
            "kesetiaan": "Kesetiaan pada Pancasila, UUD 1945 dan negara",
            "profesional": "Profesional dan tidak berpihak",
            "nondiskriminatif": "Lingkungan kerja yang nondiskriminatif",
            "akuntabel": "Akuntabel kepada publik",
            "layanan-publik": "Layanan publik yang jujur, tanggap dan santun",
            "nilai-dasar-lainnya": "Nilai dasar lainnya",
        },
    },
    "kode-etik": {
        "name": "Kode etik",
        "source": "PP 42/2004 pasal 7-12",
        "sub_categories": {
            "bernegara": "Etika bernegara",
            "berorganisasi": "Etika berorganisasi",
            "bermasyarakat": "Etika bermasyarakat",
            "diri-sendiri": "Etika terhadap diri sendiri",
            "sesama-pegawai": "Etika terhadap sesama pegawai",
        },
    },
    "kode-perilaku": {
        "name": "Kode perilaku",
        "source": "UU 5/2014 pasal 5(2)",
        "sub_categories": {
            "jujur": "Jujur, bertanggung jawab, berintegritas",
            "disiplin": "Cermat dan disiplin",
            "sopan": "Sopan dan tanpa tekanan",
            "kerahasiaan": "Kerahasiaan kebijakan negara",
            "barang-milik-negara": "Penggunaan barang milik negara",
            "konflik-kepentingan": "Konflik kepentingan",
            "informasi-menyesatkan": "Informasi yang menyesatkan",
            "penyalahgunaan-jabatan": "Penyalahgunaan jabatan atau informasi intern",
        },
    },
    "informasi-aspirasi": {
        "name": "Informasi dan aspirasi",
        "source": "",
        "sub_categories": {
            "permintaan-informasi": "Permintaan informasi",
            "saran-aspirasi": "Saran dan aspirasi",
        },
    },
}

INSPECTORATE = "inspektorat"
"""The agency of the roster that is offered first where the accused may sit in the team of their own."""

OPDS: dict[str, str] = {
    "inspektorat": "Inspektorat",
    "bkpsdmd": "BKPSDMD",
    "dinas-pendidikan": "Dinas Pendidikan dan Kebudayaan",
    "dinas-kesehatan": "Dinas Kesehatan",
    "disdukcapil": "Dinas Kependudukan dan Pencatatan Sipil",
    "dinas-pupr": "Dinas Pekerjaan Umum dan Penataan Ruang",
    "dinas-perhubungan": "Dinas Perhubungan",
    "dinas-sosial": "Dinas Sosial",
    "satpol-pp": "Satuan Polisi Pamong Praja",
    "badan-keuangan": "Badan Keuangan Daerah",
}
