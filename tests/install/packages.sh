# Sourced by run.sh. packaging/packages.sh, as `make packages` calls it, and the packages in a person's hands.
test_ "make packages makes what can be made here" packaging/packages.sh "$work/packages"
cp "$work/output" "$work/packages.log"
test_ "it says where each package is" sh -c 'for file in "$0"/*; do grep -qxF "$file" "$1" || { echo "$file"; exit 1; }; done' "$work/packages" "$work/packages.log"
test_ "and of each of the others why it is not there" sh -c '[ "$(grep -cE "^not made: .+: .+|^/.*(libzus-|\.whl|\.nupkg|\.tgz|/ZoomUserStatus$)" "$0")" -ge 5 ]' "$work/packages.log"
test_ "the archive is among them" test -s "$work/packages/$archive"
test_ "it is the archive of dist.sh" cmp "$work/packages/$archive" "$work/dist/$archive"
if have python3 "the wheel" && python3 -m pip --version >/dev/null 2>&1; then
  wheel=$(echo "$work"/packages/zoom_user_status-"$version"-py3-none-*.whl)
  test_ "the wheel has the notices" python3 -c 'import sys, zipfile; wheel = zipfile.ZipFile(sys.argv[1]); assert wheel.read("zoom_user_status/THIRD-PARTY-NOTICES.txt") == open("THIRD-PARTY-NOTICES.txt", "rb").read()' "$wheel"
  test_ "the wheel has this library" python3 -c 'import sys, zipfile; assert zipfile.ZipFile(sys.argv[1]).read("zoom_user_status/libzus.so") == open(sys.argv[2], "rb").read()' "$wheel" "$ZUS_LIB_DIR/libzus.so"
  test_ "the wheel installs" sh -c 'python3 -m venv "$0" && "$0/bin/pip" install --quiet --no-index "$1"' "$work/venv" "$wheel"
  ZUS_SANDBOX=$sandbox test_ "and calls" env -u ZUS_LIBRARY tests/install/with-sandbox.sh "$work/venv/bin/python" tests/install/consumer/call.py
fi
if have npm "the npm package"; then
  npm=$work/packages/zoom-user-status-$version.tgz
  test_ "the npm package has this library" sh -c 'tar -xzOf "$0" "package/native/$(node -p "process.platform + \"-\" + process.arch")/libzus.so" | cmp - "$1"' "$npm" "$ZUS_LIB_DIR/libzus.so"
  test_ "the npm package installs" sh -c 'mkdir "$0" && cp tests/install/consumer/call.mjs "$0/" && cd "$0" && npm install --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error "$1"' "$work/npm" "$npm"
  ZUS_SANDBOX=$sandbox test_ "and calls" env -u ZUS_LIBRARY tests/install/with-sandbox.sh node "$work/npm/call.mjs"
fi
if command -v dotnet >/dev/null && command -v pwsh >/dev/null; then
  test_ "the PowerShell module has this library" cmp "$work/packages/ZoomUserStatus/runtimes/linux-x64/native/libzus.so" "$ZUS_LIB_DIR/libzus.so"
  ZUS_SANDBOX=$sandbox test_ "and calls, in a fresh session" env -u ZUS_LIBRARY tests/install/with-sandbox.sh pwsh -NoProfile -NonInteractive -File tests/install/consumer/update.ps1 "$work/packages/ZoomUserStatus"
fi
if command -v dotnet >/dev/null && command -v pwsh >/dev/null; then
  python3 -m zipfile -e "$work/packages/ZoomUserStatus.$version.nupkg" "$work/nupkg"
  # traced LIBRARY: its stack traces name its files, and no folder of this machine.
  traced() {
    LIBRARY=$1 pwsh -NoProfile -NonInteractive -Command 'Add-Type -Path $env:LIBRARY; try { [ZoomUserStatus.ZoomUserStatusClient]::new($null) } catch { $_.Exception.InnerException.StackTrace }' >"$work/trace"
    cat "$work/trace" && grep -q 'ZoomUserStatusClient.cs:line' "$work/trace" && ! grep -qF "$PWD" "$work/trace"
  }
  test_ "stack traces from the NuGet package name no folder of this machine" traced "$work/nupkg/lib/net8.0/ZoomUserStatus.dll"
  test_ "nor do those from the PowerShell module" traced "$work/packages/ZoomUserStatus/lib/net8.0/ZoomUserStatus.dll"
fi
# With a Python that has no pip, and beside a package of which the notices were forgotten.
mkdir -p "$work/no-notices"
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("runtimes/linux-x64/native/libzus.so", b"")' "$work/no-notices/old.nupkg"
printf '#!/bin/sh\n[ "$2" != pip ] || exit 1\nexec python3 "$@"\n' >"$work/python"
chmod +x "$work/python"
test_ "a package that has the library without the notices is refused" eval '! PYTHON=$work/python packaging/packages.sh "$work/no-notices" >"$work/said" && cat "$work/said" && grep -F "old.nupkg has no THIRD-PARTY-NOTICES.txt" "$work/said"'
test_ "without pip the wheel is named, with the reason" grep -F 'not made: the wheel: ' "$work/said"
