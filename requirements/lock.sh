#!/usr/bin/env bash
# Pins pyproject.toml's dependencies, with hashes and without addresses, for Python 3.11 to 3.13.
# --check: fails where a lock is not what pyproject.toml asks for.
set -euo pipefail
cd "$(dirname "$0")/.."
check=${1:-}

pin() {  # $1: lock, the rest: options
    local lock=$1 result
    shift
    result=$(mktemp)
    [ -e "$lock" ] && cp "$lock" "$result"  # what is pinned stays, unless pyproject.toml rules it out
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --no-header --no-emit-index-url --no-emit-find-links "$@" pyproject.toml -o "$result"
    if [ "$check" = --check ]; then
        cmp -s "$result" "$lock" || { echo "$lock is not what pyproject.toml asks for: run make lock" >&2; exit 1; }
    else
        cp "$result" "$lock"
    fi
    rm -f "$result"
}

pin requirements/run.txt
pin requirements/dev.txt --extra dev --constraint requirements/run.txt
