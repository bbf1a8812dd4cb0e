#!/bin/sh
# Names every value that .env.example requires and neither the environment nor .env has, all at once.
#
#     deploy/check.sh && docker compose up -d
#
# Compose by itself stops at the first. Run it in the folder of docker-compose.yml.
set -eu

has() { eval "[ -n \"\${$1-}\" ]" || [ -n "$(sed -n "s/^$1=//p" .env 2>/dev/null | tail -n 1 | tr -d "\"'")" ]; }

missing=
for name in $(sed -n 's/^\([A-Z_]*\)=$/\1/p' .env.example); do
    case $name in RABBITMQ_TOOLING_PASSWORD | NKK_SMTP_URL) continue ;; esac # may be empty
    has "$name" || missing="$missing $name"
done
if [ -n "$missing" ]; then
    echo "missing in .env:" >&2
    for name in $missing; do echo "  $name" >&2; done
    exit 1
fi
