#!/bin/sh
# Brings a running installation with Docker to the version that is checked out, one part after another while it serves,
# or back to the one before. docs/operations.md says what to look at first.
#
#     git checkout VERSION && deploy/upgrade.sh
#     cp deploy/upgrade.sh /tmp && git checkout PREVIOUS && sh /tmp/upgrade.sh back
#
# Run it in the folder of docker-compose.yml. The image that ran before stays as nkk:previous. Broker and database server
# go on as they are: what a version changes in their own settings comes with `docker compose up -d`, in a quiet hour.
set -eu

image=${NKK_IMAGE:-$(sed -n 's/^NKK_IMAGE=//p' .env | tail -n 1 | tr -d "\"'")}
image=${image:-nkk:local}

say() { echo "-- $*"; }
once() { docker compose run --rm --no-deps -T "$1"; }
permissions() {
    once definitions
    docker compose exec -T rabbitmq rabbitmqctl --quiet import_definitions /definitions/definitions.json
}
up() { docker compose up -d --no-deps --no-build --wait --wait-timeout 300 "$@"; }
# The new instances of a stage serve before the old ones, which finish what they have in flight, are gone.
replace() {
    say "$1"
    old=$(docker compose ps -q "$1")
    up --no-recreate --scale "$1=$(($(echo "$old" | wc -w) * 2))" "$1"
    docker stop -t 40 $old
    docker rm $old
}

if [ "${1-}" = back ]; then
    docker tag nkk:previous "$image"
    permissions
    # Who tells goes back before who hears, so that nobody is told what they do not know.
    say gateway
    up gateway
    for each in intake triage opd_response notification; do replace "$each"; done
    exit
fi

deploy/check.sh
say "building $image"
docker build -q -t "$image" .
runs=$(docker inspect -f '{{.Image}}' "$(docker compose ps -q gateway)")
[ "$runs" = "$(docker image inspect -f '{{.Id}}' "$image")" ] || docker tag "$runs" nkk:previous

say "permissions, queues and databases"
permissions
once topology
for each in intake triage opd_response notification; do once "migrate-$each"; done

# Who hears comes before who tells, so that nobody is told what they do not know.
for each in notification opd_response triage intake; do replace "$each"; done
# There is one port, and so one gateway: it is away while it starts.
say gateway
up gateway
say "done; back: copy this script elsewhere, check the version before out, and run the copy with: back"
