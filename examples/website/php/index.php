<?php
// A page of an ordinary website: a form whose report this server sends to the complaint service for the visitor.
declare(strict_types=1);
require __DIR__ . '/service.php';
require __DIR__ . '/words.php';

header("Content-Security-Policy: default-src 'none'; img-src data:; style-src 'self'; form-action 'self'; frame-ancestors 'none'");
header('Cache-Control: no-store');
header('Referrer-Policy: no-referrer');

$typed = array_map('strval', array_filter($_POST, 'is_string'));
// The key is sent in a header: only one that this page made is taken, because another could write further headers.
if (!preg_match('~^[0-9a-f]{32}\z~', $typed['key'] ?? '')) {
    $typed['key'] = bin2hex(random_bytes(16));
}
$faults = [];
$trouble = $receipt = $status = null;

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $filled = fn (array $names) => array_filter(array_intersect_key($typed, $names), fn ($text) => trim($text) !== '');
    [$category, $sub] = explode('/', ($typed['topic'] ?? '') . '/');
    $entry = $filled(REPORT) + ['category' => $category, 'sub_category' => $sub, 'reporter' => (object) $filled(PERSON)];
    // The key was made with the form. So a form that is sent twice is one report, with the same code.
    [$code, $found] = call('POST', '/entries', $entry, ['Idempotency-Key: ' . $typed['key']]);
    if ($code === 201) {
        $receipt = $found;
    } elseif ($code === 422) {
        $faults = faults($found);
        $trouble = ($found['type'] ?? '') === 'urn:nkk:problem:idempotency-key-reused'
            ? 'Laporan ini sudah terkirim dengan nomor tiket ' . $found['ticket'] . '.' : 'Perbaiki isian yang ditandai.';
    } else {
        $trouble = 'Laporan belum dapat dikirim. Tunggu sebentar, lalu kirim lagi; laporan tidak akan menjadi dua.';
    }
    http_response_code($code === 201 ? 200 : ($code === 422 ? 422 : 503));
} elseif (is_string($_GET['ticket'] ?? null) && $_GET['ticket'] !== '') {
    [$code, $found] = call('GET', '/entries/' . rawurlencode($_GET['ticket']));
    $status = $code === 200 ? $found : null;
    $trouble = $status ? null : ($code === 404 ? 'Tidak ada laporan dengan nomor itu.' : 'Coba lagi sebentar lagi.');
    http_response_code($code === 200 || $code === 404 ? $code : 503);
}

function e(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

function field(string $name, string $label, array $typed, array $faults): string
{
    $fault = isset($faults[$name]) ? '<span class="fault" id="' . $name . '-fault">' . e($faults[$name]) . '</span>' : '';
    $about = $fault ? ' aria-invalid="true" aria-describedby="' . $name . '-fault"' : '';
    $value = e($typed[$name] ?? '');
    $input = $name === 'text'
        ? "<textarea id=\"$name\" name=\"$name\" rows=\"6\"$about>\n$value</textarea>"
        : "<input id=\"$name\" name=\"$name\" value=\"$value\"$about>";
    return "<p><label for=\"$name\">" . e($label) . "</label> $fault$input</p>\n";
}

function choice(string $name, string $label, array $options, array $typed, array $faults): string
{
    $fault = isset($faults[$name]) ? '<span class="fault" id="' . $name . '-fault">' . e($faults[$name]) . '</span>' : '';
    $lines = '';
    foreach ($options as $key => $text) {
        $chosen = ($typed[$name] ?? '') === (string) $key ? ' selected' : '';
        $lines .= '<option value="' . e((string) $key) . "\"$chosen>" . e($text) . "</option>\n";
    }
    return "<p><label for=\"$name\">" . e($label) . "</label> $fault<select id=\"$name\" name=\"$name\">$lines</select></p>\n";
}
?>
<!doctype html>
<html lang="id">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Lapor</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"></head>
<body>
<main>
<h1>Lapor</h1>
<?php if ($trouble !== null): ?>
<p role="alert"><strong><?= e($trouble) ?></strong></p>
<?php endif ?>
<?php if ($receipt !== null): ?>
<h2>Laporan Anda sudah kami terima</h2>
<p>Nomor tiket: <strong id="ticket"><?= e($receipt['ticket']) ?></strong></p>
<p>Kode akses: <strong id="code"><?= e($receipt['access_code']) ?></strong></p>
<p>Simpan keduanya. Dengan kode akses Anda membuat akun untuk membaca jawaban, di <a href="<?= e(SERVICE) ?>/akun/kode">layanan
pengaduan</a>. Kode berlaku satu kali, sampai <?= e(day($receipt['access_code_expires_at'])) ?>.</p>
<p><a href="?ticket=<?= e(rawurlencode($receipt['ticket'])) ?>">Sampai di mana laporan ini?</a></p>
<?php elseif ($status !== null): ?>
<p id="status"><?= e($status['ticket']) ?>: <?= e(STANDS[$status['stands']['state']] ?? $status['stands']['state']) ?>.
<?php if (in_array($status['stands']['state'], ['receive', 'closed'], true)): ?>
Baca jawabannya di <a href="<?= e(SERVICE) ?>/akun/kode">layanan pengaduan</a>.
<?php else: ?>
Jawaban dijanjikan paling lambat <?= e(day($status['service_due_at'])) ?>.
<?php endif ?></p>
<?php else: ?>
<form method="post" action="./">
<input type="hidden" name="key" value="<?= e($typed['key']) ?>">
<?= choice('topic', 'Kategori', topics($typed['topic'] ?? ''), $typed, $faults) ?>
<?php foreach (REPORT as $name => $label) { echo field($name, $label, $typed, $faults); } ?>
<?= choice('kind', 'Anda adalah', ['public' => 'Masyarakat', 'civil_servant' => 'ASN'], $typed, $faults) ?>
<?php foreach (array_diff_key(PERSON, ['kind' => '']) as $name => $label) { echo field($name, $label, $typed, $faults); } ?>
<p><button>Kirim</button></p>
</form>
<?php endif ?>
</main>
</body>
</html>
