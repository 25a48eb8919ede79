#!/usr/bin/env bash
# Tests the Python package: mypy --strict and pyright check the types, then pytest runs with the real libzus and the sandbox.
#   test.sh                    everything
#   test.sh ARGUMENTS...       only pytest, with these arguments
#   ZUS_LIB_DIR, ZUS_SANDBOX   the folder of libzus, and the sandbox program (default: <repo>/target/...)
#   ZUS_PYTHONS                more interpreters for pytest, e.g. "python3.9 python3.13"
#   ZUS_EXITS                  how many times each program ends with calls in flight (default: 3)
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
export ZUS_LIB_DIR=${ZUS_LIB_DIR:-$repo/target/release} ZUS_SANDBOX=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox}
export HYPOTHESIS_STORAGE_DIRECTORY=$repo/.tools/python/hypothesis PYRIGHT_PYTHON_CACHE_DIR=$repo/.tools/python/pyright PYTHONDONTWRITEBYTECODE=1
passed=0 failed=0 skipped=0

testing="pytest==8.4.2 pytest-xdist==3.8.0 hypothesis==6.141.1 python-dotenv==1.1.1 pyinstaller==6.16.0 hatchling==1.27.0 build==1.3.0 tqdm==4.67.1"
typing="mypy==1.18.2 types-tqdm==4.67.0.20250809 pyright==1.1.414"

# environment NAME PYTHON PINS: makes a virtual environment under .tools with exactly these packages, unless it exists.
environment() {
    local folder=$repo/.tools/python/$1 pins
    pins="$3 $(cat "$here/constraints.txt")"
    if [ "$(cat "$folder/pins" 2>/dev/null)" != "$pins" ]; then
        # shellcheck disable=SC2086
        rm -rf "$folder" && "$2" -m venv "$folder" &&
            "$folder/bin/pip" install --quiet --disable-pip-version-check -c "$here/constraints.txt" $3 &&
            echo "$here/src" > "$("$folder/bin/python" -c 'import site; print(site.getsitepackages()[0])')/clone.pth" &&
            echo "$pins" > "$folder/pins"
    fi
}

# check NAME COMMAND...: runs a command and counts it as passed or failed.
check() {
    local name=$1
    shift
    if said=$("$@" 2>&1); then
        passed=$((passed + 1))
        echo "ok: $name"
    else
        failed=$((failed + 1))
        printf '%s\nFAILED: %s\n' "$said" "$name"
    fi
}

# tests PYTHON ARGUMENTS...: runs pytest and adds its totals to ours.
tests() {
    local log
    log=$(mktemp)
    "$1" -m pytest --color=no "${@:2}" 2>&1 | tee "$log"
    local status=${PIPESTATUS[0]} last
    last=$(tail -1 "$log")
    rm -f "$log"
    count() { echo "$last" | grep -oE "[0-9]+ $1" | grep -oE '[0-9]+' || echo 0; }
    passed=$((passed + $(count passed)))
    skipped=$((skipped + $(count skipped)))
    local bad=$(($(count failed) + $(count error)))
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    failed=$((failed + bad))
}

cd "$here" || exit 1
environment venv "${PYTHON:-python3}" "$testing $typing" || { echo "0 passed, 1 failed"; exit 1; }
bin=$repo/.tools/python/venv/bin
if [ $# -eq 0 ]; then
    check "mypy --strict" "$bin/mypy"
    if command -v node >/dev/null; then
        check pyright "$bin/pyright" --pythonpath "$bin/python"
        check "pyright --verifytypes" env PATH="$bin:$PATH" "$bin/pyright" --ignoreexternal --verifytypes zoom_user_status
    else
        echo "SKIPPED: pyright: it needs node"
        skipped=$((skipped + 2))
    fi
fi
# Two at once: most of them wait for a program that they started.
tests "$bin/python" -rs --numprocesses 2 --dist worksteal "$@"
for python in ${ZUS_PYTHONS:-}; do
    echo "with $("$python" --version)"
    # The packaging is the same for all interpreters, and the first run tests it.
    environment "$(basename "$python")" "$python" "$testing" &&
        tests "$repo/.tools/python/$(basename "$python")/bin/python" -rs --ignore tests/test_package.py --ignore tests/test_bulk.py "$@" ||
        failed=$((failed + 1))
done
echo "$passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ]
