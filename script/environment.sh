# Sourced by the scripts beside it: makes .venv from a lock file, once per lock.
# shellcheck shell=sh

find_python() { # sets $python
    python=
    for candidate in python3 python3.13 python3.12 python3.11 python; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ]; then
        echo "beholden needs Python 3.11 or newer; none was found on the PATH" >&2
        exit 1
    fi
}

make_environment() { # LOCK
    lock=$1
    venv=${BEHOLDEN_VENV:-.venv}
    find_python
    if [ ! -x "$venv/bin/python" ]; then
        "$python" -m venv "$venv" || {
            echo "cannot make a virtual environment in $venv (on Debian: apt-get install python3-venv)" >&2
            exit 1
        }
    fi
    stamp="$venv/installed-$(cat "$lock" pyproject.toml | cksum | tr ' ' '-')"
    if [ ! -e "$stamp" ]; then
        echo "installing what $lock names into $venv ..." >&2
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable .
        : >"$stamp"
    fi
}
