#!/usr/bin/env bash
# One client, eight threads, one million calls (or as many as SECONDS allow), one request in a hundred goes wrong:
#   tests/soak/run.sh [SECONDS]     SECONDS: default 3600; CI takes 120
# Then the server's ledger must agree with every call. ZUS_LIB_DIR, ZUS_SANDBOX: as for the other tests; CALLS: how many.
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:-3600}
calls=${CALLS:-1000000}
lib_dir=${ZUS_LIB_DIR:-$repo/target/release}
sandbox=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox}
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

work=$(mktemp -d)
trap 'exec 9>&-; rm -rf "$work"' EXIT
cp "$lib_dir/libzus.so" "$work/libzus.so"
ln -s libzus.so "$work/libzus.so.0"
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -I"$repo/include" "$repo/tests/soak/soak.c" -o "$work/soak" \
  -L"$work" -lzus -Wl,-rpath,"$work" -pthread

# Tokens that expire after five seconds: many refreshes. The faults: refused, cut before it was done, cut after, late.
mkfifo "$work/stdin"
"$sandbox" --quiet --until-stdin-closes --users 1000 --token-life 5 --seed 7 \
  --fault 503=0.004 --fault cut=0.003 --fault cut-after=0.002 --fault delay-20=0.001 \
  <"$work/stdin" >"$work/sandbox" &
exec 9>"$work/stdin"
for _ in $(seq 100); do
  grep -q '^ready' "$work/sandbox" && break
  sleep 0.1
done
# shellcheck disable=SC2046
export $(grep -E '^ZOOM_[A-Z_]+=' "$work/sandbox")

status=0
"$work/soak" "$calls" "$seconds" "$work/calls" | tee "$work/output" || status=$?
curl -sS "${ZOOM_API_URL%/v2}/sandbox/ledger" >"$work/ledger"
python3 - "$work/calls" "$work/ledger" <<'PYTHON' || status=$?
"""Each user: what was sent is what was received, and what succeeded was applied."""
import json
import sys

ledger = json.load(open(sys.argv[2]))
users = ledger["users"]
wrong = []
sent_by_us = received = 0
for line in open(sys.argv[1]):
    user, sent, done = line.split()
    there = users.pop(user)
    sent_by_us += int(sent)
    received += there["received"]
    # A request on an idle connection that the server has just closed is sent and not received.
    if not (int(done) <= there["applied"] <= there["received"] <= int(sent)):
        wrong.append(f"{user}: {sent} sent, {done} done; the ledger: {there}")
print(f"{sent_by_us} requests sent, {received} received, {ledger['token_requests']} token requests, responses {ledger['responses']}")
print(*wrong[:10], sep="\n")
lost = sent_by_us - received
good = not wrong and not users and lost <= sent_by_us // 1000 and ledger["token_requests"] > 1
print(f"the ledger agrees with every call: {'ok' if good else 'FAILED'} ({lost} requests met a closed connection)")
sys.exit(not good)
PYTHON
exit $status
