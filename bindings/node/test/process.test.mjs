// What a call does to the process: it holds neither the event loop, nor the pool, nor the exit.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from 'zoom-user-status';

import { PACKAGE, program, run, startSandbox } from './sandbox.mjs';

/** How often what must never happen is given the chance. */
const RUNS = Number(process.env.ZUS_RUNS ?? 2);
const LIBRARY = process.env.ZUS_LIBRARY;
const PENDING = `Array.from({ length: 100 }, (_, n) => zoom.activate('answer-never+' + n + '@example.com').catch(() => {}));`;

let box;
before(async () => (box = await startSandbox('--users', '300')));
after(() => box.stop());

const client = (options) => new Client({ ...box.options, rate: null, ...options });

test('a pending call keeps the process alive until it has ended, and no longer', async () => {
  const { stdout, stderr, status, ms } = await program(
    `const zoom = Client.fromEnv();
     zoom.activate('answer-slow-400@example.com').then((result) => console.log(result.code));`,
    { env: box.env },
  );
  assert.deepEqual([stdout, stderr, status], ['ZUS_OK\n', '', 0]);
  assert.ok(ms >= 400 && ms < 5000, `${ms} ms`);
});

test('nothing holds the exit: process.exit, an uncaught error, a rejection, Ctrl-C, SIGTERM', async () => {
  const start = `const zoom = Client.fromEnv({ timeout: 60_000, logger: () => {} }); ${PENDING} setTimeout(() => { console.log(process.uptime()); END }, 200);`;
  const ends = [
    ['process.exit(7)', 7, null],
    ["throw new Error('on purpose')", 1, null],
    ["Promise.reject(new Error('on purpose'))", 1, null],
    ['', null, 'SIGINT'],
    ['', null, 'SIGTERM'],
    ["zoom.destroy(); process.exitCode = 3", 3, null],
  ];
  for (let n = 0; n < RUNS; n++) {
    await Promise.all(
      ends.map(async ([end, status, signal]) => {
        const ended = await program(start.replace('END', end), {
          env: box.env,
          during: (child) => signal && child.stdout.once('data', () => child.kill(signal)),
        });
        assert.deepEqual([ended.status, ended.signal], [status, signal], `${end}: ${ended.stderr}`);
        const uptime = Number(ended.stdout) * 1000;
        assert.ok(ended.ms - uptime < 2500, `${end || signal}: ${ended.ms - uptime} ms from there to the exit`);
      }),
    );
  }
});

test('worker threads: calls of their own, terminate, and an exit with pending calls', async () => {
  for (let n = 0; n < RUNS; n++) {
    const { stdout, stderr, status, ms } = await program(
      `import { Worker } from 'node:worker_threads';
       const code = (rest) => "const { Client } = require('zoom-user-status'); const zoom = Client.fromEnv({ rate: null, logger: () => {} });" + rest;
       const pending = ${JSON.stringify(PENDING)};
       const options = { eval: true, execArgv: [] };
       const say = "require('node:worker_threads').parentPort.postMessage";
       const message = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
       const exit = (worker) => new Promise((resolve) => worker.once('exit', resolve));
       const calling = Array.from({ length: 4 }, () => new Worker(code("zoom.activate('ada@example.com').then((result) => " + say + "(result.code))"), options));
       console.log(...new Set(await Promise.all(calling.map(message))));
       const at = performance.now();
       for (let k = 0; k < 4; k++) {
         const worker = new Worker(code(pending + say + "('started')"), options);
         await message(worker);
         await new Promise((resolve) => setTimeout(resolve, 10 * k));
         await worker.terminate();
       }
       console.log(await exit(new Worker(code(pending + 'setTimeout(() => process.exit(4), 50)'), options)));
       console.log(await new Promise((resolve) => new Worker(code(pending + "setTimeout(() => { throw new Error('on purpose') }, 50)"), options).once('error', (error) => resolve(error.message))));
       console.log((await Client.fromEnv().activate('grace@example.com')).code, performance.now() - at < 30_000);`,
      { env: box.env },
    );
    assert.deepEqual([stdout, stderr, status], ['ZUS_OK\n4\non purpose\nZUS_OK true\n', '', 0]);
    assert.ok(ms < 50_000); // the calls' own time is 60 s
  }
});

test('100 calls occupy no thread of the pool, and the event loop is free', async () => {
  const { stdout, stderr } = await program(
    `import { stat } from 'node:fs/promises';
     const zoom = Client.fromEnv({ rate: null, concurrency: 100 });
     await zoom.activate('ada@example.com');
     const calls = Array.from({ length: 100 }, (_, n) => zoom.activate('answer-slow-500+' + n + '@example.com'));
     let last = performance.now(), latest = 0;
     const timer = setInterval(() => { const now = performance.now(); latest = Math.max(latest, now - last - 10); last = now; }, 10);
     await new Promise((resolve) => setTimeout(resolve, 50));
     const at = performance.now();
     await stat('.');
     const waited = performance.now() - at;
     const all = await Promise.all(calls);
     clearInterval(timer);
     console.log(JSON.stringify({ ok: all.every((result) => result.ok), waited, latest, ms: performance.now() - at }));`,
    { env: { ...box.env, UV_THREADPOOL_SIZE: '1' } },
  );
  assert.equal(stderr, '');
  const { ok, waited, latest, ms } = JSON.parse(stdout);
  assert.ok(ok);
  assert.ok(waited < 200, `fs.stat waited for ${waited} ms`);
  assert.ok(latest < 200, `a timer was ${latest} ms late`);
  assert.ok(ms < 3000, `${ms} ms`);
});

test('requests go on while the event loop is busy', async () => {
  const zoom = client({ concurrency: 8 });
  const before = (await box.ledger()).requests;
  const calls = Array.from({ length: 80 }, (_, n) => zoom.activate(`answer-slow-50+${n}@example.com`));
  const until = performance.now() + 1000;
  while (performance.now() < until);
  assert.equal((await box.ledger()).requests - before, 80);
  assert.ok((await Promise.all(calls)).every((result) => result.ok));
});

test('a signal ends calls within 100 ms, those that wait too, and one signal serves many', async () => {
  const zoom = client({ concurrency: 8 });
  await zoom.activate('ada@example.com');
  let best = Infinity;
  for (let n = 0; n < 5 && best > 100; n++) {
    const controller = new AbortController();
    const { signal } = controller;
    const calls = Array.from({ length: 60 }, (_, k) => zoom.deactivate(`answer-never+${k}@example.com`, { signal }));
    const settled = Promise.allSettled(calls);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = (await box.ledger()).requests;
    const at = performance.now();
    controller.abort();
    const all = await settled;
    best = Math.min(best, performance.now() - at);
    assert.ok(all.every(({ reason }) => reason.name === 'AbortError' && reason.cause === signal.reason));
    const deliveries = all.map(({ reason }) => reason.result.delivery);
    assert.deepEqual([deliveries.filter((d) => d === 'unknown').length, deliveries.filter((d) => d === 'not_sent').length], [8, 52]);
    assert.equal((await box.ledger()).requests, before, 'nobody who waited was sent');
  }
  assert.ok(best <= 100, `${best} ms`);
  await assert.rejects(zoom.activate('ada@example.com', { signal: AbortSignal.abort('no') }), (error) => error.cause === 'no' && error.result.delivery === 'not_sent');
  assert.ok((await zoom.activate('ada@example.com', { signal: AbortSignal.timeout(10_000) })).ok);
  const { stdout, stderr } = await program(
    `const { signal } = new AbortController();
     const zoom = Client.fromEnv();
     await Promise.all(Array.from({ length: 20 }, () => zoom.activate('ada@example.com', { signal })));`,
    { env: box.env },
  );
  assert.deepEqual([stdout, stderr], ['', '']); // no MaxListenersExceededWarning
});

/** A copy of the package, with koffi. */
function copy(at, native) {
  cpSync(path.join(PACKAGE, 'dist'), path.join(at, 'dist'), { recursive: true });
  cpSync(path.join(PACKAGE, 'package.json'), path.join(at, 'package.json'));
  symlinkSync(path.join(PACKAGE, 'node_modules'), path.join(at, 'node_modules'));
  if (native) {
    mkdirSync(path.join(at, 'native', native), { recursive: true });
    cpSync(LIBRARY, path.join(at, 'native', native, path.basename(LIBRARY)));
  }
}

function folder(t) {
  const at = mkdtempSync(path.join(tmpdir(), 'zus-'));
  t.after(() => rmSync(at, { recursive: true }));
  return at;
}

test('two copies in a process, beside another user of koffi', async (t) => {
  const at = folder(t);
  for (const name of ['one', 'two']) {
    mkdirSync(path.join(at, name));
    copy(path.join(at, name));
  }
  const { stdout, stderr } = await run(
    process.execPath,
    [
      '-e',
      `const koffi = require('${PACKAGE}node_modules/koffi');
       koffi.opaque('zus_config'); koffi.opaque('zus_client');
       koffi.load(process.env.ZUS_LIBRARY).func('const char *zus_version()')();
       const clients = ['one', 'two'].map((name) => require('${at}/' + name).Client.fromEnv());
       Promise.all(clients.map((zoom) => zoom.activate('ada@example.com'))).then((all) => console.log(...all.map((result) => result.code)));`,
    ],
    { env: box.env },
  );
  assert.deepEqual([stdout, stderr], ['ZUS_OK ZUS_OK\n', '']);
});

test('where the library is found', async (t) => {
  const at = folder(t);
  const own = path.join(at, 'own');
  const none = path.join(at, 'none');
  const loader = path.join(at, 'loader');
  for (const each of [own, none, loader]) mkdirSync(each);
  copy(own, `${process.platform}-${process.arch}`);
  copy(none);
  cpSync(LIBRARY, path.join(loader, 'libzus.so.0'));
  const load = (package_, env) => run(process.execPath, ['-p', `require(${JSON.stringify(package_)}).version`], { env: { ZUS_LIBRARY: '', ...env } });
  const { version } = await import('zoom-user-status');
  for (const [package_, env] of [[own, {}], [none, { ZUS_LIBRARY: LIBRARY }], [none, { LD_LIBRARY_PATH: loader }]]) {
    const { stdout, stderr } = await load(package_, env);
    assert.deepEqual([stdout, stderr], [`${version}\n`, '']);
  }
  for (const [env, said] of [
    [{}, /libzus was not found: this package has none for \w+-\w+ \(looked for .*native.*\), and the system's loader knows no libzus\.so\.0 and no libzus\.so\. Install libzus, or set ZUS_LIBRARY/],
    [{ ZUS_LIBRARY: '/no/such/file.so' }, /libzus was not found: there is no \/no\/such\/file\.so \(from the environment variable ZUS_LIBRARY\)/],
    [{ ZUS_LIBRARY: path.join(PACKAGE, 'package.json') }, /libzus could not be loaded from .*package\.json: /],
    [{ ZUS_LIBRARY: await libc() }, /this libzus is not the one that this package was made for: it has no zus_abi_version/],
  ]) {
    const { status, stderr } = await load(none, env);
    assert.equal(status, 1);
    assert.match(stderr, said);
  }
});

async function libc() {
  const { stdout } = await run('sh', ['-c', 'ldd "$(command -v node)" | grep -o "/[^ ]*libm\\.so[^ ]*"']);
  return stdout.trim();
}

test('where no descriptor can be watched, a thread of the pool waits, and holds no exit', async () => {
  const pool = `import { createRequire } from 'node:module';
    createRequire(process.cwd() + '/')('koffi');
    Object.defineProperty(process, 'platform', { value: 'win32' }); // only how events are learned of depends on it here
    const { Client } = await import('zoom-user-status');
    const zoom = Client.fromEnv({ logger: () => {}, timeout: 60_000 });`;
  const as = (code) => run(process.execPath, ['--input-type=module', '-e', pool + code], { env: box.env });
  const called = await as(
    `const all = await Promise.all(Array.from({ length: 200 }, (_, n) => zoom.activate('answer-slow-' + n % 50 + '@example.com')));
     console.log(all.every((result) => result.ok));
     await zoom.close();`,
  );
  assert.deepEqual([called.stdout, called.stderr, called.status], ['true\n', '', 0]);
  assert.ok((await as(`await zoom.activate('ada@example.com'); await zoom.status('ada@example.com');`)).ms < 5000);
  const ended = await as(`${PENDING} setTimeout(() => { console.log(process.uptime()); process.exit(7); }, 200);`);
  assert.deepEqual([ended.status, ended.stderr], [7, '']);
  assert.ok(ended.ms - Number(ended.stdout) * 1000 < 1500, `${ended.ms} ms`);
  const destroyed = await as(`const call = zoom.activate('answer-never@example.com'); setTimeout(() => zoom.destroy(), 50); await call.catch((error) => console.log(error.code));`);
  assert.deepEqual([destroyed.stdout, destroyed.stderr, destroyed.status], ['ZUS_ERR_CANCELLED\n', '', 0]);
});

test('a process that calls has few descriptors and few threads more', async () => {
  const { stdout, stderr } = await program(
    `import { readdirSync } from 'node:fs';
     const count = () => [readdirSync('/proc/self/fd').length, readdirSync('/proc/self/task').length];
     const zoom = Client.fromEnv({ concurrency: 4 });
     const before = count();
     for (let n = 0; n < 200; n++) await zoom.activate('ada@example.com');
     const [descriptors, threads] = count().map((now, n) => now - before[n]);
     console.log(descriptors <= 3 + 4, threads <= 4);`,
    { env: { ...box.env } },
  );
  assert.deepEqual([stdout, stderr], ['true true\n', '']);
});
