// The words of the page, and of what the service answers with codes.
const id = {
  site: "Contoh situs instansi", title: "Lapor pelanggaran kode perilaku", languages: "Bahasa", entry: "Masuk atau daftar",
  logIn: "Masuk", register: "Daftar", logOut: "Keluar", username: "Nama pengguna", password: "Kata sandi",
  kind: "Anda adalah", public: "Masyarakat (punya NIK)", civilServant: "Aparatur sipil negara (punya NIP)",
  identityNumber: "NIK atau NIP", name: "Nama lengkap", email: "Surel", write: "Tulis laporan", category: "Kategori",
  subject: "Judul", text: "Apa yang terjadi", confidential: "Rahasiakan identitas saya", send: "Kirim laporan",
  mine: "Laporan saya", refresh: "Muat ulang", answer: "Jawaban", confirm: "Saya sudah menerima jawaban ini",
  confirmed: "Terima kasih. Penerimaan jawaban tercatat.", sent: "Laporan diterima. Nomor tiket Anda:",
  faulty: "Belum terkirim. Perbaiki bagian yang ditandai.", away: "Layanan tidak dapat dihubungi. Tulisan Anda masih ada; coba lagi sebentar lagi.",
  wait: "Terlalu banyak permintaan. Coba lagi sesudah (detik):", ended: "Waktu masuk Anda sudah habis. Masuk lagi.",
  wrongLogIn: "Nama pengguna atau kata sandi salah.", failed: "Ada yang gagal. Coba lagi; bila tetap gagal, sebutkan kode ini:",
  state: {
    hand_over: "Menunggu operator", classify: "Sedang diklasifikasi", respond: "Sedang ditanggapi perangkat daerah",
    approve: "Tanggapan sedang diperiksa", answer: "Jawaban sedang ditulis", receive: "Sudah dijawab", closed: "Selesai",
  },
  fault: {
    missing: "Wajib diisi.", empty: "Wajib diisi.", "no-username": "3 sampai 64 huruf kecil, angka, titik, tanda hubung atau garis bawah.",
    "username-taken": "Nama pengguna ini sudah dipakai. Pilih yang lain.", "no-address": "Ini bukan alamat surel.",
    "password-length": "10 sampai 128 karakter.", "password-too-plain": "Pakai lebih banyak karakter yang berbeda.",
    "password-has-username": "Tidak boleh memuat nama pengguna.", "number-length": "NIK terdiri dari 16 angka, NIP 18 angka.",
    "number-not-digits": "Angka saja.", "wrong-length": "Terlalu panjang atau terlalu pendek.",
    "no-such-category": "Pilih kategori dari daftar.", "no-such-sub-category": "Pilih kategori dari daftar.",
  },
  otherFault: "Isian ini perlu diperbaiki.",
};
const en = {
  site: "Example of an agency's site", title: "Report a breach of the code of conduct", languages: "Language", entry: "Log in or register",
  logIn: "Log in", register: "Register", logOut: "Log out", username: "User name", password: "Password",
  kind: "You are", public: "A member of the public (with a NIK)", civilServant: "A civil servant (with a NIP)",
  identityNumber: "NIK or NIP", name: "Full name", email: "E-mail", write: "Write a report", category: "Category",
  subject: "Title", text: "What happened", confidential: "Keep my identity confidential", send: "Send the report",
  mine: "My reports", refresh: "Refresh", answer: "Answer", confirm: "I have received this answer",
  confirmed: "Thank you. Your receipt of the answer is recorded.", sent: "Your report was received. Your ticket:",
  faulty: "Not sent yet. Correct the marked fields.", away: "The service cannot be reached. Your text is still here; try again shortly.",
  wait: "Too many requests. Try again after (seconds):", ended: "Your log-in has ended. Log in again.",
  wrongLogIn: "The user name or the password is wrong.", failed: "Something failed. Try again; if it stays, tell us this code:",
  state: {
    hand_over: "Waits for the operator", classify: "Being classified", respond: "The agency is responding",
    approve: "The response is being checked", answer: "The answer is being written", receive: "Answered", closed: "Closed",
  },
  fault: {
    missing: "Required.", empty: "Required.", "no-username": "3 to 64 lower-case letters, digits, dots, hyphens or underscores.",
    "username-taken": "This user name is taken. Choose another.", "no-address": "This is no e-mail address.",
    "password-length": "10 to 128 characters.", "password-too-plain": "Use more different characters.",
    "password-has-username": "Must not contain the user name.", "number-length": "A NIK has 16 digits, a NIP 18.",
    "number-not-digits": "Digits only.", "wrong-length": "Too long or too short.",
    "no-such-category": "Choose a category of the list.", "no-such-sub-category": "Choose a category of the list.",
  },
  otherFault: "This field needs correcting.",
};
export const WORDS = { id, en };
