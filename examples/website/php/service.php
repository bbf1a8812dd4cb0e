<?php
// The complaint service as this website's server uses it: with an account of the website, from `nkk websites add`.
// The secret stays on the server, in the environment; no visitor's browser speaks to the service.
declare(strict_types=1);

define('SERVICE', rtrim(getenv('NKK_SERVICE') ?: 'http://127.0.0.1:8080', '/'));

/** The status, the content and the headers of the service's response; status 0 if there was none. */
function send(string $method, string $path, ?array $content, array $headers): array
{
    if (preg_grep('~[\r\n]~', $headers)) {
        throw new InvalidArgumentException('A header contains a line break.');
    }
    $headers[] = 'Content-Type: application/json';
    $body = $content === null ? '' : json_encode($content, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);
    $context = stream_context_create(['http' => [
        'method' => $method, 'header' => $headers, 'content' => $body,
        'timeout' => 30, 'ignore_errors' => true, 'follow_location' => 0,
    ]]);
    $text = @file_get_contents(SERVICE . '/api/v1' . $path, false, $context);
    if ($text === false || !preg_match('~^HTTP/\S+ (\d{3})~', $http_response_header[0] ?? '', $found)) {
        return [0, [], []];
    }
    return [(int) $found[1], json_decode($text, true) ?? [], $http_response_header];
}

/** The same, logged in. The token is used until the service refuses it: no clock has to be right for that. */
function call(string $method, string $path, ?array $content = null, array $headers = []): array
{
    $kept = kept();
    $answer = send($method, $path, $content, [...$headers, 'Authorization: Bearer ' . $kept['token']]);
    if ($answer[0] !== 401) {
        return $answer;
    }
    // The header from the last log-in: a device that is known does not wait for what strangers guess at this name.
    [$status, $session, $given] = send('POST', '/sessions', [
        'username' => getenv('NKK_WEBSITE_NAME'), 'password' => getenv('NKK_WEBSITE_SECRET'),
    ], ['X-NKK-Device: ' . $kept['device']]);
    if ($status !== 201) {
        error_log("The complaint service refuses this website's log-in: $status");
        return [$status === 401 ? 500 : $status, [], []];
    }
    $device = preg_replace('~^X-NKK-Device: *~i', '', implode('', preg_grep('~^X-NKK-Device:~i', $given)));
    keep(['token' => $session['access_token'], 'device' => $device]);
    return send($method, $path, $content, [...$headers, 'Authorization: Bearer ' . $session['access_token']]);
}

function kept_in(): string
{
    return getenv('NKK_TOKEN_FILE') ?: sys_get_temp_dir() . '/nkk-website-token';
}

/** The token and the device of the last log-in. */
function kept(): array
{
    $found = json_decode((string) @file_get_contents(kept_in()), true);
    return (is_array($found) ? $found : []) + ['token' => 'none', 'device' => ''];
}

/** Keep them for the next requests, in a file that only this server's user can read. */
function keep(array $session): void
{
    umask(0077);
    $new = tempnam(dirname(kept_in()), 'nkk');
    file_put_contents($new, json_encode($session, JSON_THROW_ON_ERROR));
    rename($new, kept_in());
}
