<?php
// The fields of the form, and the words for what the service says of them.
declare(strict_types=1);

const REPORT = ['subject_line' => 'Judul', 'text' => 'Apa yang terjadi', 'place' => 'Di mana', 'happened_on' => 'Kapan'];
const PERSON = ['kind' => 'Anda adalah', 'identity_number' => 'NIK atau NIP', 'name' => 'Nama', 'email' => 'Surel'];

const STANDS = [
    'hand_over' => 'menunggu operator', 'classify' => 'sedang diklasifikasi', 'respond' => 'sedang ditanggapi',
    'approve' => 'tanggapan sedang diperiksa', 'answer' => 'jawaban sedang ditulis', 'receive' => 'sudah dijawab',
    'closed' => 'selesai',
];

const FAULTS = [
    'missing' => 'Isilah.', 'empty' => 'Isilah.', 'no-address' => 'Alamat surel ini tidak lengkap.',
    'number-length' => 'Jumlah angkanya tidak tepat: NIK 16 angka, NIP 18 angka.', 'too-long' => 'Terlalu panjang.',
    'wrong-length' => 'Terlalu panjang.', 'no-such-category' => 'Pilih kategori.', 'no-key' => 'Pilih kategori.',
];

/** The words for each field at fault, from the codes of the service's problem document. */
function faults(array $problem): array
{
    $codes = $problem['codes'] ?? [];
    $sentences = $problem['errors'] ?? [];
    if (isset($codes['reporter']) && !array_is_list($codes['reporter'])) {
        $codes = $codes['reporter'] + $codes;
        $sentences = $sentences['reporter'] + $sentences;
    }
    $found = [];
    foreach ($codes as $name => $faults) {
        $name = in_array($name, ['category', 'sub_category'], true) ? 'topic' : $name;
        $found[$name] = FAULTS[$faults[0]['code'] ?? ''] ?? (string) ($sentences[$name][0] ?? 'Periksa isian ini.');
    }
    return $found;
}

/** The categories and their sub-categories, as the service lists them. */
function topics(): array
{
    [, $listed] = send('GET', '/categories', null, []);
    $topics = ['' => ''];
    foreach ($listed['items'] ?? [] as $category) {
        foreach ($category['sub_categories'] as $sub) {
            $topics["{$category['key']}/{$sub['key']}"] = "{$category['name']}: {$sub['name']}";
        }
    }
    return $topics;
}
