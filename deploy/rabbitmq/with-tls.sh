#!/bin/sh
# Starts the broker with its listener for teams' tools, once certificate and key can be used; says in a sentence why not.
set -eu
certificate=${CERTIFICATE:-/run/secrets/tools_certificate}
key=${KEY:-/run/secrets/tools_key}

refuse() {
    echo "$*" >&2
    exit 1
}
[ -r "$certificate" ] || refuse "NKK_TOOLS_CERTIFICATE is no file that user $(id -u) can read."
[ -r "$key" ] || refuse "NKK_TOOLS_KEY is no file that user $(id -u) can read."
of_certificate=$(openssl x509 -in "$certificate" -noout -pubkey 2> /dev/null) ||
    refuse "NKK_TOOLS_CERTIFICATE is no certificate in PEM, followed by its chain."
of_key=$(openssl pkey -in "$key" -pubout -passin pass: 2> /dev/null) ||
    refuse "NKK_TOOLS_KEY is no private key in PEM without a passphrase."
[ "$of_certificate" = "$of_key" ] || refuse "NKK_TOOLS_KEY is not the key of NKK_TOOLS_CERTIFICATE."
openssl x509 -in "$certificate" -noout -checkend 0 > /dev/null || refuse "NKK_TOOLS_CERTIFICATE has expired: renew it."

# As in docker-compose.yml.
umask 077 && rm -f "$HOME/.erlang.cookie" && printf %s "$ERLANG_COOKIE" > "$HOME/.erlang.cookie" && exec rabbitmq-server
