#!/usr/bin/env bash
# Makes the virtual environment $2 with interpreter $1 and installs the lock $3 and this project into it.
set -euo pipefail
python=$1 venv=$2 lock=$3

"$python" - <<'PY' || exit 1
import sys
if not (3, 11) <= sys.version_info[:2] < (3, 14):
    sys.exit("Python 3.11, 3.12 or 3.13 is needed, this is %d.%d. Name another: make PYTHON=python3.12" % sys.version_info[:2])
PY

say() { printf '%s\n' "$*" >&2; }

make_venv() { "$python" -m venv "$venv" 2>/dev/null; }
[ -x "$venv/bin/pip" ] || say "making a virtual environment in $venv (once)"
if [ ! -x "$venv/bin/pip" ] && ! make_venv; then
    rm -rf "$venv"
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing Debian's $package (once)"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null
        make_venv
    else
        echo "Python's venv module is missing. Install it and try again: sudo apt-get install $package" >&2
        exit 1
    fi
fi
say "installing the $(grep -c '==' "$lock") packages of $lock (once; some minutes on a slow line)"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
