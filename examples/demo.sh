#!/usr/bin/env bash
# `make demo`: C and Python programs activate and deactivate users of the sandbox, and the command line deactivates 200.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
bold='' plain=''
[ ! -t 1 ] || { bold=$(tput bold || true) plain=$(tput sgr0 || true); } 2>/dev/null
trap 'kill "${sandbox:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

"${CC:-cc}" -O2 -I"$root/include" "$root/examples/c/update_status.c" -o "$work/update_status" \
  -L"$ZUS_LIB_DIR" -lzus -Wl,-rpath,"$ZUS_LIB_DIR"

if [ -n "${ZOOM_ACCESS_TOKEN:-}${ZOOM_ACCOUNT_ID:-}" ]; then
  say "Credentials in the environment: this is Zoom itself, not the sandbox."
  if [ -z "${ZOOM_DEMO_USER:-}" ]; then
    echo "Set ZOOM_DEMO_USER to a user that may be deactivated and activated again, then run make demo once more"
    exit 2
  fi
  "$work/update_status" "$ZOOM_DEMO_USER" deactivate
  "$work/update_status" "$ZOOM_DEMO_USER" activate
  exit
fi

"$ZUS_SANDBOX" --users 200 >"$work/log" &
sandbox=$!
until grep -qs '^ready' "$work/log"; do sleep 0.05; done
sed '/^ready/,$d' "$work/log" >"$work/variables" # a file, since bash 3.2 of macOS can't source a <( )
set -a
. "$work/variables"
set +a
unset ZOOM_ACCOUNT_ID ZOOM_CLIENT_ID ZOOM_CLIENT_SECRET
lines=$(wc -l <"$work/log")
echo "A sandbox in Zoom's place: $ZOOM_API_URL"

show() { # a line as one would type it, the command itself, and what the sandbox saw
  say "\$ $1"
  shift
  "$@" || echo "(exit status $?)"
  sleep 0.1
  tail -n "+$((lines + 1))" "$work/log" | sed 's/^/    sandbox: /'
  lines=$(wc -l <"$work/log")
}
# With a third word the user is read afterwards: linus shows the update, ghost never does.
for call in "grace@example.com activate" "ada@example.com deactivate" "nobody@example.com deactivate" \
  "linus@example.com deactivate 5" "ghost@example.com deactivate 2"; do
  # shellcheck disable=SC2086
  show "update_status $call" "$work/update_status" $call
done

export PYTHONPATH=$root/bindings/python/src ZUS_LIBRARY=$(ls "$ZUS_LIB_DIR"/libzus.so "$ZUS_LIB_DIR"/libzus.dylib 2>/dev/null | head -n 1)
line='import zoom_user_status as z; print(z.from_env().activate("linus@example.com"))'
show "python3 -c '$line'" python3 -c "$line"

python=python3
if [ -t 2 ]; then # the progress bar's library, in a folder of its own
  venv=$root/.tools/demo
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -c 'import tqdm' 2>/dev/null || "$venv/bin/pip" install -q tqdm==4.67.1 || true
  python=$venv/bin/python
fi
say "200 leavers, at most 80 a second"
{
  echo email
  for i in $(seq -f '%05.0f' 200); do echo "user$i@example.com"; done
} >"$work/leavers.csv"
"$python" -m zoom_user_status deactivate --csv "$work/leavers.csv" --rate 80 --yes --report "$work/report.csv" || echo "(exit status $?)"
echo "The report begins:"
head -n 3 "$work/report.csv" | sed 's/^/    /'
