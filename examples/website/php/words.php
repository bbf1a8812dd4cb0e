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
    'missing' => 'Isilah.', 'empty' => 'Isilah.', 'too-long' => 'Terlalu panjang.', 'wrong-length' => 'Terlalu panjang.',
    'no-address' => 'Alamat surel ini tidak lengkap.', 'one-address' => 'Satu alamat surel saja, tanpa nama.',
    'no-domain' => 'Sesudah @ tulislah domain lengkap, misalnya example.id.',
    'hidden-sign' => 'Alamat ini memuat tanda yang tidak terlihat. Ketik ulang.',
    'address-not-plain' => 'Sebelum @ hanya huruf a sampai z, angka dan tanda.',
    'number-length' => 'Jumlah angkanya tidak tepat: NIK 16 angka, NIP 18 angka.',
    'number-not-digits' => 'Angka saja: NIK 16 angka, NIP 18 angka.',
    'no-such-category' => 'Pilih kategori.', 'no-such-sub-category' => 'Pilih kategori.', 'no-key' => 'Pilih kategori.',
];

/** The words for a code. Each digit of a NIK or NIP that cannot be has a code of its own. */
function words(string $code): string
{
    return FAULTS[$code] ?? (preg_match('~^ni[kp]-~', $code)
        ? 'Nomor ini tidak mungkin benar. Periksa setiap angkanya.' : 'Periksa isian ini.');
}

/** The words for each field at fault, from the codes of the service's problem document. */
function faults(array $problem): array
{
    $codes = $problem['codes'] ?? [];
    if (isset($codes['reporter']) && !array_is_list($codes['reporter'])) {
        $codes = $codes['reporter'] + $codes;
    }
    $found = [];
    foreach ($codes as $name => $faults) {
        $name = in_array($name, ['category', 'sub_category'], true) ? 'topic' : $name;
        $found[$name] = words($faults[0]['code'] ?? '');
    }
    return $found;
}

/** The day of an instant, at the city's office. */
function day(string $instant): string
{
    return (new DateTimeImmutable($instant))->setTimezone(new DateTimeZone('Asia/Jakarta'))->format('d/m/Y');
}

/** The categories and their sub-categories, as the service lists them; what the visitor chose stays if it cannot. */
function topics(string $chosen): array
{
    [, $listed] = send('GET', '/categories', null, []);
    $topics = ['' => ''] + (isset($listed['items']) ? [] : [$chosen => $chosen]);
    foreach ($listed['items'] ?? [] as $category) {
        foreach ($category['sub_categories'] as $sub) {
            $topics["{$category['key']}/{$sub['key']}"] = "{$category['name']}: {$sub['name']}";
        }
    }
    return $topics;
}
