#!/bin/sh
# Upgrades a running installation with Docker to the version that is checked out, one part after another while it serves,
# or takes it back to the previous one. docs/operations.md says what to check first.
#
#     git checkout VERSION && deploy/upgrade.sh
#     cp deploy/upgrade.sh /tmp && git checkout PREVIOUS && sh /tmp/upgrade.sh back
#
# Run it in the folder of docker-compose.yml, and again after an interruption. The image that ran before is kept as
# nkk:previous. Broker and database server keep running, and are started if they are down: changes of their own settings
# need `docker compose up -d` in a quiet hour, or what the script says at its end.
set -eu

HEALTHY_SECONDS=${HEALTHY_SECONDS:-300}

# Print the value of $1 from the environment, else from .env, else $2.
value() {
    eval "found=\${$1-}"
    [ -n "$found" ] || [ ! -f .env ] || found=$(sed -n "s/^$1= *\([^ #]*\).*/\1/p" .env | tail -n 1 | tr -d "\"'\r")
    echo "${found:-$2}"
}

say() { echo "-- $*"; }
fail() {
    echo "-- $*" >&2
    exit 1
}
up() { docker compose up -d --no-deps --no-build "$@"; }

# Run a one-shot service. Not with `run --rm`, for which some engines always report success.
once() {
    say "$1"
    up --force-recreate "$1"
    ended=$(docker wait "$(docker compose ps -aq "$1")")
    docker compose logs --no-log-prefix --tail 20 "$1" >&2 || true
    [ "$ended" = 0 ] || fail "$1 ended with $ended (above, what it said last), and nothing was replaced. Mend it and run" \
        "this once more, or go back"
}
permissions() {
    up --no-recreate --wait --wait-timeout "$HEALTHY_SECONDS" rabbitmq postgres
    once definitions
    docker compose exec -T rabbitmq rabbitmqctl --quiet import_definitions /definitions/definitions.json
}

# Wait until all of these containers are healthy; fail if one ends or time is up.
serve() {
    deadline=$(($(date +%s) + HEALTHY_SECONDS))
    for each; do
        until [ "$(state "$each")" = "running healthy" ]; do
            case $(state "$each") in *unhealthy | exited* | dead* | '') return 1 ;; esac
            [ "$(date +%s)" -lt "$deadline" ] || return 1
            sleep 1
        done
    done
}
state() { docker inspect -f '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' "$1" || true; }

end() {
    [ $# -eq 0 ] || docker stop -t 40 "$@"
    [ $# -eq 0 ] || docker rm "$@"
}

# Start as many new instances of a stage as the settings say, and stop all old ones once the new ones are healthy. If the
# new ones do not become healthy, remove them instead.
replace() {
    say "$1"
    docker compose rm --force "$1" # instances that are stopped, and would be restarted with the old image
    old=$(docker compose ps -aq "$1")
    wanted=$(value "NKK_$(echo "$1" | tr '[:lower:]' '[:upper:]')_INSTANCES" 1)
    up --no-recreate --scale "$1=$(($(echo "$old" | wc -w) + wanted))" "$1" || true
    new=
    for each in $(docker compose ps -aq "$1"); do
        case " $(echo $old) " in *" $each "*) ;; *) new="$new $each" ;; esac
    done
    if [ "$(echo "$new" | wc -w)" -eq "$wanted" ] && serve $new; then
        end $old
        return
    fi
    for each in $new; do docker logs --tail 20 "$each" >&2 || true; done
    end $new
    fail "$1: the new instances did not come to serve (above, what they said last) and are taken away again; the ones" \
        "there were go on. Mend it and run this once more, or go back"
}

door() {
    say gateway
    up --wait --wait-timeout "$HEALTHY_SECONDS" gateway ||
        fail "the gateway did not come to serve: docker compose logs gateway. Mend it and run this once more, or go back"
}

# Return whether the service $1 runs with another file at $2 than the file $3: a mounted file is read when its container
# starts, and compose does not see that it has changed.
outdated() {
    [ -n "$(docker compose ps -q "$1" 2> /dev/null)" ] || return 1
    ! docker compose exec -T "$1" cat "$2" | cmp -s - "$3"
}
proxy() {
    if outdated proxy /etc/nginx/nginx.conf deploy/nginx/nginx.conf; then
        say proxy
        up --force-recreate proxy
    fi
    if outdated rabbitmq /etc/rabbitmq/conf.d/50-nkk.conf deploy/rabbitmq/rabbitmq.conf; then
        say "the broker has other settings; in a quiet hour: docker compose up -d --force-recreate rabbitmq"
    fi
}

# Only an installation with deploy/webhooks.yaml has them.
has_webhooks() { docker compose config --services 2> /dev/null | grep -qx webhooks; }
webhooks() {
    has_webhooks || return 0
    say webhooks
    up --wait --wait-timeout "$HEALTHY_SECONDS" webhooks ||
        fail "webhooks did not become healthy: docker compose logs webhooks. Fix it and run this script again"
}

image=$(value NKK_IMAGE nkk:local)

if [ "${1-}" = back ]; then
    docker tag nkk:previous "$image" || fail "there is no image of the version before (nkk:previous)"
    permissions
    # Publishers go back before consumers, so that no stage receives an event that it does not know.
    door
    for stage in intake triage opd_response notification; do replace "$stage"; done
    webhooks
    proxy
    exit
fi

deploy/check.sh written
say "building $image"
docker build -q -t "$image" .
deploy/check.sh
# The gateway is replaced last: so its image, if it runs, is the previous version's, also after an interruption.
built=$(docker image inspect -f '{{.Id}}' "$image")
for part in gateway intake triage opd_response notification; do
    for each in $(docker compose ps -q "$part"); do
        runs=$(docker inspect -f '{{.Image}}' "$each")
        [ "$runs" != "$built" ] || continue
        docker tag "$runs" nkk:previous
        break 2
    done
done

say "permissions, queues and databases"
permissions
once topology
for stage in intake triage opd_response notification; do once "migrate-$stage"; done
if has_webhooks; then
    once webhooks-database
    once migrate-webhooks
fi

# Consumers are replaced before publishers, so that no stage receives an event that it does not know.
for stage in notification opd_response triage intake; do replace "$stage"; done
# There is one port, and so one gateway: it is unavailable while it starts.
door
webhooks
proxy
say "done; back: copy this script elsewhere, check the version before out, and run the copy with: back"
