#!/usr/bin/env bash
# Pins pyproject.toml's dependencies, and those of what `make bench` runs beside us, with hashes and without addresses,
# for Python 3.11 to 3.13. --check: fails where a lock is not what is asked for.
set -euo pipefail
cd "$(dirname "$0")/.."
check=${1:-}

pin() {  # $1: lock, $2: what it is to fit, the rest: options
    local lock=$1 wanted=$2 result
    shift 2
    result=$(mktemp)
    [ -e "$lock" ] && cp "$lock" "$result"  # what is pinned stays, unless it does not fit any more
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --no-header --no-emit-index-url --no-emit-find-links "$@" "$wanted" -o "$result"
    if [ "$check" = --check ]; then
        cmp -s "$result" "$lock" || { echo "$lock is not what $wanted asks for: run make lock" >&2; exit 1; }
    else
        cp "$result" "$lock"
    fi
    rm -f "$result"
}

pin requirements/run.txt pyproject.toml
pin requirements/dev.txt pyproject.toml --extra dev --constraint requirements/run.txt
pin bench/helpdesk/requirements.txt bench/helpdesk/requirements.in
