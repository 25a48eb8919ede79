// The examples, as a person runs them.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT, run, startSandbox } from './sandbox.mjs';

const EXAMPLES = path.join(ROOT, 'examples', 'node');
let box;
let folder;
before(async () => {
  box = await startSandbox('--users', '200');
  folder = mkdtempSync(path.join(tmpdir(), 'zus-'));
});
after(async () => {
  await box.stop();
  rmSync(folder, { recursive: true });
});

const example = (name, args, options) => run(process.execPath, [path.join(EXAMPLES, name), ...args], { env: box.env, ...options });
const list = (name, text) => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

test('update_status: done, refused, no response, usage errors', async () => {
  const update = (args, env) => example('update_status.js', args, env && { env });
  const { ZOOM_ACCESS_TOKEN: _, ...oauth } = box.env;
  for (const env of [box.env, oauth]) {
    const { status, stdout, stderr } = await update(['grace@example.com', 'activate'], env);
    assert.deepEqual([status, stdout, stderr], [0, 'HTTP 204\n', '']);
  }
  const refused = await update(['nobody@example.com', 'deactivate']);
  assert.match(refused.stdout, /^HTTP 404\nZUS_ERR_USER_NOT_FOUND: .*User does not exist.*\nZoom's code: 1001\ntracking ID: v=2\.0;.*\n$/);
  assert.equal(refused.status, 1);
  const gone = await update(['ada@example.com', 'deactivate'], { ...box.env, ZOOM_API_URL: 'http://127.0.0.1:1/v2' });
  assert.match(gone.stdout, /^ZUS_ERR_CONNECT: [^\n]+\n$/);
  assert.equal(gone.status, 1);
  for (const [args, env] of [[['ada@example.com']], [['ada@example.com', 'erase']], [['', 'deactivate']], [[' ada@example.com', 'deactivate']], [['ada@example.com', 'deactivate'], {}]]) {
    const { status, stdout, stderr } = await update(args, env);
    assert.deepEqual([status, stdout], [2, ''], stderr);
    assert.match(stderr, /usage|ZUS_ERR_/);
  }
});

test('offboard: a list, standard input, a failure that ends it', async () => {
  const users = list('list', '\ufeffada@example.com\r\n\r\n  nobody@example.com \t\r\nlinus@example.com');
  const some = await example('offboard.mjs', [users]);
  assert.deepEqual(some.stdout.split('\n').filter((line) => line.startsWith('DONE')).sort(), ['DONE ada@example.com', 'DONE linus@example.com']);
  assert.match(some.stdout, /FAIL nobody@example\.com ZUS_ERR_USER_NOT_FOUND 404\/1001 .*User does not exist.*\[v=2\.0/);
  assert.match(some.stderr, /^2 done, 1 failed, 0 remaining$/m);
  assert.equal(some.status, 1);
  const piped = await example('offboard.mjs', [], { input: 'user00001@example.com\nuser00002@example.com\n' });
  assert.deepEqual([piped.status, piped.stdout.split('\n').sort().slice(1)], [0, ['DONE user00001@example.com', 'DONE user00002@example.com']]);
  const early = await example('offboard.mjs', [users], { env: { ...box.env, ZOOM_ACCESS_TOKEN: 'expired' } });
  assert.equal(early.status, 3);
  assert.equal((await example('offboard.mjs', [path.join(folder, 'none')])).status, 2);
  assert.equal((await example('offboard.mjs', [users], { env: {} })).status, 2);
});

test('offboard: Ctrl-C, and everybody is accounted for', async () => {
  const all = Array.from({ length: 200 }, (_, n) => `user${String(n + 1).padStart(5, '0')}@example.com`);
  const { status, stdout, stderr } = await example('offboard.mjs', [list('all', all.join('\n'))], {
    during: (child) => child.stdout.once('data', () => setTimeout(() => child.kill('SIGINT'), 500)),
  });
  assert.equal(status, 130, stderr);
  const lines = stdout.trim().split('\n').map((line) => line.split(' '));
  assert.deepEqual(lines.map(([, user]) => user).sort(), all);
  assert.ok(lines.some(([what]) => what === 'DONE') && lines.some(([what]) => what === 'REMAINS'));
});
