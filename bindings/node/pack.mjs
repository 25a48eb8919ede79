// What `npm pack` adds to the JavaScript: the libraries, as native/<platform>-<arch>[-musl]/, and the licenses.
//   ZUS_NATIVE_DIR  a folder of <rid>/native/ with the libraries of all systems, as the release has it
//   ZUS_LIBRARY     else this one, for this system (default: what `make build` makes)

import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = process.env.ZUS_REPOSITORY ?? path.join(here, '..', '..');
const PLATFORMS = { linux: 'linux', osx: 'darwin', win: 'win32' };

/** linux-musl-x64 -> linux-x64-musl, win-x86 -> win32-ia32 */
function folderOf(rid) {
  const [os, ...rest] = rid.split('-');
  const arch = rest.at(-1).replace('x86', 'ia32');
  return `${PLATFORMS[os]}-${arch}${rest[0] === 'musl' ? '-musl' : ''}`;
}

const FILES = { win32: 'zus.dll', darwin: 'libzus.dylib' };
const native = path.join(here, 'native');
rmSync(native, { recursive: true, force: true });

function put(library, folder) {
  mkdirSync(path.join(native, folder), { recursive: true });
  copyFileSync(library, path.join(native, folder, FILES[folder.split('-')[0]] ?? 'libzus.so'));
}

const { ZUS_NATIVE_DIR: all, ZUS_LIBRARY: one } = process.env;
if (all) {
  for (const rid of readdirSync(all)) {
    const [library] = readdirSync(path.join(all, rid, 'native'));
    put(path.join(all, rid, 'native', library), folderOf(rid));
  }
} else {
  const library = one ?? path.join(root, 'target', 'release', FILES[process.platform] ?? 'libzus.so');
  if (!existsSync(library)) throw new Error(`there is no ${library}: run make build, or set ZUS_LIBRARY`);
  const isMusl = process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined;
  put(library, `${process.platform}-${process.arch}${isMusl ? '-musl' : ''}`);
}
for (const file of ['LICENSE-MIT', 'LICENSE-APACHE', 'THIRD-PARTY-NOTICES.txt']) copyFileSync(path.join(root, file), path.join(here, file));
