// The package as a person gets it: what `npm pack` makes, installed in an empty folder, in TypeScript, Jest, Vitest and esbuild.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';

import { PACKAGE, run, startSandbox } from './sandbox.mjs';

const BIN = path.join(PACKAGE, 'node_modules', '.bin');
let box;
let folder;
let tarball;

before(async () => {
  box = await startSandbox('--users', '20');
  folder = mkdtempSync(path.join(tmpdir(), 'zus-'));
  const made = path.join(folder, 'made');
  mkdirSync(made);
  ok(await run(path.join(PACKAGE, 'package.sh'), [made]));
  [tarball] = readdirSync(made).map((file) => path.join(made, file));
  write('package.json', '{ "private": true }');
  ok(await run('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball], { cwd: folder }));
});
after(async () => {
  await box.stop();
  rmSync(folder, { recursive: true });
});

function write(file, text) {
  writeFileSync(path.join(folder, file), text);
}

function ok(ended) {
  assert.equal(ended.status, 0, ended.stdout + ended.stderr);
  return ended;
}

/** In that folder, without the library of this clone. */
function inFolder(command, args, env = {}) {
  return run(command, args, { cwd: folder, env: { ...box.env, ZUS_LIBRARY: '', ...env } });
}

test('the tarball has the library, the licenses and the notices', async () => {
  const { stdout } = ok(await run('tar', ['-tzf', tarball]));
  const files = stdout.split('\n');
  for (const file of [`native/${process.platform}-${process.arch}/libzus.so`, 'LICENSE-MIT', 'LICENSE-APACHE', 'THIRD-PARTY-NOTICES.txt', 'README.md', 'dist/index.mjs', 'dist/index.d.mts']) {
    assert.ok(files.includes(`package/${file}`), file);
  }
});

test('publint and @arethetypeswrong/cli find nothing', async () => {
  const lint = ok(await run(path.join(BIN, 'publint'), ['run', tarball, '--strict']));
  assert.match(lint.stdout, /All good!/);
  const types = ok(await run(path.join(BIN, 'attw'), [tarball, '--format', 'ascii']));
  assert.match(types.stdout, /No problems found/);
});

const TEN_LINES = `import { Client, UserNotFoundError } from 'zoom-user-status';

const zoom = Client.fromEnv();
try {
  const result = await zoom.deactivate('ada@example.com');
  console.log(result.code, result.httpStatus);
} catch (error) {
  if (!(error instanceof UserNotFoundError)) throw error;
  console.log('no such user', error.result.trackingId);
}
`;

const TYPES = `import { Client, type ClientOptions, type Result, type UserStatus, ZoomUserStatusError } from 'zoom-user-status';
const options: ClientOptions = { token: 'x', timeout: [1, 2], rate: null, tokenProvider: async (rejected: boolean) => String(rejected) };
export async function all(zoom: Client, signal?: AbortSignal): Promise<Result[]> {
  const results: Result[] = [];
  for await (const result of zoom.updateMany(['ada'], 'deactivate', { signal })) results.push(result);
  for await (const user of zoom.statuses(new Set(['ada']))) {
    const status: 'active' | 'inactive' | 'pending' | 'unknown' = user.status;
    void status;
  }
  const user: UserStatus = await zoom.status('ada', { signal });
  const error: unknown = user;
  if (error instanceof ZoomUserStatusError) console.log(error.result.delivery, error.code === 'ZUS_ERR_TIMEOUT');
  return results;
}
void options;
// @ts-expect-error
new Client({ rate_limit: 4 });
// @ts-expect-error
new Client();
// @ts-expect-error
void new Client({ token: 'x' }).update('ada', 'erase');
// @ts-expect-error
new Client({ token: 'x' }).updateMany(['ada'], 'activate', { signals: 1 });
// @ts-expect-error
new Client({ token: 'x', logLevel: 'verbose' });
`;

test('ten lines of TypeScript deactivate a user, and the types tell right from wrong', async () => {
  write('leave.mts', TEN_LINES);
  write('types.cts', TYPES);
  const types = ['--types', 'node', '--typeRoots', path.join(PACKAGE, 'node_modules/@types')];
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'node16'];
  ok(await inFolder(path.join(BIN, 'tsc'), [...strict, ...types, 'leave.mts', 'types.cts']));
  assert.equal(ok(await inFolder(process.execPath, ['leave.mjs'])).stdout, 'ZUS_OK 204\n');
});

test('require and import have the same classes', async () => {
  write('require.cjs', `const { Client, UserNotFoundError } = require('zoom-user-status');
import('zoom-user-status').then((module) => console.log(module.Client === Client, module.UserNotFoundError === UserNotFoundError, Object.keys(module).length > 30));`);
  assert.equal(ok(await inFolder(process.execPath, ['require.cjs'])).stdout, 'true true true\n');
});

const spec = (end) => `for (const user of ['ada@example.com', 'grace@example.com']) test(user, async () => {
  const zoom = Client.fromEnv();
  expect((await zoom.deactivate(user)).code).toBe('ZUS_OK');
  await expect(zoom.deactivate('nobody@example.com')).rejects.toThrow(UserNotFoundError);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  await expect(zoom.deactivate('answer-never@example.com', { signal: controller.signal })).rejects.toThrow('cancelled');
  ${end}
});`;
const PENDING = "zoom.deactivate('answer-never@example.com').catch(() => {});";

test('Jest: two files in one process, which ends by itself, or with calls pending when it is told to', async () => {
  for (const [end, ...options] of [[''], [PENDING, '--forceExit']]) {
    for (const name of ['one', 'two']) write(`${name}.jest.js`, `const { Client, UserNotFoundError } = require('zoom-user-status');\n${spec(end)}`);
    const { stderr } = ok(await inFolder(path.join(BIN, 'jest'), ['-i', ...options, '--rootDir', folder, '--testMatch', '**/*.jest.js']));
    assert.match(stderr, /Tests: +4 passed, 4 total/);
    assert.doesNotMatch(stderr, /did not exit/);
  }
});

test('Vitest: in processes and in threads', async () => {
  // It looks for itself beside the tests.
  const beside = path.join(folder, 'node_modules', 'vitest');
  symlinkSync(path.join(PACKAGE, 'node_modules', 'vitest'), beside);
  for (const name of ['one', 'two']) write(`${name}.vitest.test.mjs`, `import { expect, test } from 'vitest';\nimport { Client, UserNotFoundError } from 'zoom-user-status';\n${spec(PENDING)}`);
  for (const pool of ['forks', 'threads']) {
    const { stdout } = ok(await inFolder(path.join(BIN, 'vitest'), ['run', 'vitest', `--pool=${pool}`, '--root', folder], { NO_COLOR: '1' }));
    assert.match(stdout, /Tests +4 passed \(4\)/, stdout);
  }
});

test('esbuild: with the package outside the bundle, or with koffi outside and the library named', async () => {
  write('bundled.mjs', `import { Client } from 'zoom-user-status';\nClient.fromEnv().deactivate('ada@example.com').then((result) => console.log(result.code));`);
  const esbuild = path.join(BIN, 'esbuild');
  const bundle = ['bundled.mjs', '--bundle', '--platform=node', '--log-level=warning'];
  ok(await inFolder(esbuild, [...bundle, '--packages=external', '--format=esm', '--outfile=out.mjs']));
  assert.equal(ok(await inFolder(process.execPath, ['out.mjs'])).stdout, 'ZUS_OK\n');
  ok(await inFolder(esbuild, [...bundle, '--external:koffi', '--outfile=out.cjs']));
  const env = { ZUS_LIBRARY: path.join(folder, 'node_modules/zoom-user-status/native', `${process.platform}-${process.arch}`, 'libzus.so') };
  assert.equal(ok(await inFolder(process.execPath, ['out.cjs'], env)).stdout, 'ZUS_OK\n');
});
