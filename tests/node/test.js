// The Node.js example against the sandbox. ZUS_SANDBOX and ZUS_LIB_DIR as for the other tests.
'use strict';

const assert = require('assert');
const { execFile, spawn } = require('child_process');
const path = require('path');
const readline = require('readline');

const EXAMPLE = path.join(__dirname, '..', '..', 'examples', 'node');
const zus = require(path.join(EXAMPLE, 'zus.js'));

// Starts a sandbox, and gives the environment that it prints.
async function sandbox() {
  const child = spawn(process.env.ZUS_SANDBOX, ['--until-stdin-closes', '--quiet'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const env = {};
  for await (const line of readline.createInterface({ input: child.stdout })) {
    if (line === 'ready') break;
    const at = line.indexOf('=');
    env[line.slice(0, at)] = line.slice(at + 1);
  }
  return { env, stop: () => child.stdin.end() };
}

// Runs update_status.js: its exit status and what it printed.
function run(args, env) {
  return new Promise((resolve) => {
    const clean = { PATH: process.env.PATH, ZUS_LIB_DIR: process.env.ZUS_LIB_DIR || '', ...env };
    execFile(process.execPath, [path.join(EXAMPLE, 'update_status.js'), ...args], { env: clean }, (failure, stdout, stderr) => {
      resolve({ status: failure ? failure.code : 0, stdout, stderr });
    });
  });
}

function tests(env) {
  const client = (more) => new zus.Client({ token: env.ZOOM_ACCESS_TOKEN, apiUrl: env.ZOOM_API_URL, oauthUrl: env.ZOOM_OAUTH_URL, ...more });
  const fixed = { ZOOM_ACCESS_TOKEN: env.ZOOM_ACCESS_TOKEN, ZOOM_API_URL: env.ZOOM_API_URL };
  return {
    'a status that is set': () => {
      const zoom = client();
      const answer = zoom.update('ada@example.com', 'deactivate');
      assert.strictEqual(answer.ok, true);
      assert.strictEqual(answer.code, 'ZUS_OK');
      assert.strictEqual(answer.statusCode, 204);
      assert.strictEqual(answer.message, '');
      assert.strictEqual(answer.body, '');
      assert.strictEqual(answer.attempts, 1);
      assert.strictEqual(answer.retryAfter, null);
      zoom.close();
    },
    'a refusal is an answer': () => {
      const zoom = client();
      const answer = zoom.update('nobody@example.com', 'activate');
      assert.strictEqual(answer.ok, false);
      assert.strictEqual(answer.code, 'ZUS_ERR_USER_NOT_FOUND');
      assert.strictEqual(answer.statusCode, 404);
      assert.strictEqual(answer.zoomCode, 1001);
      assert.match(answer.message, /User does not exist: nobody@example\.com/);
      assert.match(answer.trackingId, /^v=2\.0;/);
      assert.match(answer.body, /"code":1001/);
      const daily = zoom.update('answer-429-daily@example.com', 'activate');
      assert.strictEqual(daily.code, 'ZUS_ERR_DAILY_LIMIT');
      assert.ok(daily.retryAfter >= 0 && daily.retryAfter <= 86400);
      zoom.close();
    },
    'mistakes throw': () => {
      const zoom = client();
      const mistake = (code) => (failure) => failure instanceof zus.ZusError && failure.code === code && failure.message !== '';
      assert.throws(() => zoom.update(' ada@example.com', 'activate'), mistake('ZUS_ERR_ARGUMENT'));
      assert.throws(() => zoom.update('ada@example.com', 'erase'), mistake('ZUS_ERR_ARGUMENT'));
      assert.throws(() => zoom.update('ada@example.com', 'toString'), mistake('ZUS_ERR_ARGUMENT'));
      assert.throws(() => zoom.update('ada@example.com\0.evil', 'activate'), mistake('ZUS_ERR_ARGUMENT'));
      assert.throws(() => zoom.update(undefined, 'activate'), TypeError);
      assert.throws(() => client({ apiUrl: 'http://api.zoom.us/v2' }), mistake('ZUS_ERR_ARGUMENT'));
      assert.throws(() => client({ connectMs: 1000, totalMs: 0 }), mistake('ZUS_ERR_ARGUMENT'));
      assert.throws(() => client({ totalMs: 1000 }), mistake('ZUS_ERR_ARGUMENT')); // both, or none
      assert.throws(() => client({ connectMs: 1, totalMs: 2 ** 32 + 1000 }), mistake('ZUS_ERR_ARGUMENT'));
      assert.throws(() => new zus.Client(), mistake('ZUS_ERR_CREDENTIALS'));
      for (const half of ['\ud800', '\udc00', '\udc00\ud800']) {
        assert.throws(() => zoom.update(`ada${half}@example.com`, 'activate'), mistake('ZUS_ERR_UTF8'));
      }
      assert.throws(() => client({ token: 'half\ud800' }), mistake('ZUS_ERR_UTF8'));
      assert.strictEqual(zoom.update('🚆@example.com', 'activate').code, 'ZUS_ERR_USER_NOT_FOUND'); // a whole pair
      zoom.close();
      assert.throws(() => zoom.update('ada@example.com', 'activate'), /the client is closed/);
      assert.throws(() => zoom.update('ada@example.com', 'activate'), mistake('ZUS_ERR_NULL'));
    },
    'promises wait on worker threads': async () => {
      const zoom = client();
      let turns = 0; // of the event loop, while the calls wait
      const ticking = setInterval(() => ++turns, 10);
      const users = Array.from({ length: 8 }, (_, i) => `answer-slow-200+${i}@example.com`);
      const answers = await Promise.all(users.map((user) => zoom.updateAsync(user, 'deactivate')));
      clearInterval(ticking);
      assert.deepStrictEqual(answers.map((a) => [a.ok, a.user]), users.map((user) => [true, user]));
      assert.ok(turns > 3, `${turns} turns`);
      await assert.rejects(zoom.updateAsync('', 'deactivate'), zus.ZusError);
      zoom.close();
    },
    'close() waits for the calls that run': async () => {
      const zoom = client();
      const calls = ['answer-slow-300@example.com', 'answer-503-then-ok-3@example.com'].map((user) => zoom.updateAsync(user, 'deactivate'));
      await assert.rejects(zoom.updateAsync(' padded@example.com', 'deactivate'), zus.ZusError);
      zoom.close();
      zoom.close();
      const others = Array.from({ length: 300 }, () => client({ token: 'y'.repeat(7000) })); // into the memory, if it was freed
      await assert.rejects(zoom.updateAsync('ada@example.com', 'deactivate'), /the client is closed/);
      assert.deepStrictEqual((await Promise.all(calls)).map((answer) => answer.code), ['ZUS_OK', 'ZUS_OK']);
      others.forEach((other) => other.close());
    },
    'a thousand promises at once': async () => {
      const zoom = client();
      const answers = await Promise.all(Array.from({ length: 1000 }, () => zoom.updateAsync('..', 'deactivate').catch((mistake) => mistake)));
      assert.deepStrictEqual([...new Set(answers.map((answer) => answer.code))], ['ZUS_ERR_ARGUMENT']); // no "too many calls" of koffi's
      zoom.close();
    },
    'another koffi library first': async () => {
      const code = (config) => `const koffi = require('koffi'); ${config} koffi.load(process.argv[1]); require('./zus');`;
      const load = (config) => new Promise((resolve) => {
        execFile(process.execPath, ['-e', code(config), path.join(process.env.ZUS_LIB_DIR, 'libzus.so')], { cwd: EXAMPLE }, (failure, out, err) => resolve(err));
      });
      assert.match(await load(''), /require\('\.\/zus'\) before anything else/);
      assert.strictEqual(await load('koffi.config({ async_stack_size: 2 ** 20 });'), '');
    },
    'OAuth': () => {
      const oauth = { token: undefined, accountId: env.ZOOM_ACCOUNT_ID, clientId: env.ZOOM_CLIENT_ID };
      const zoom = client({ ...oauth, clientSecret: env.ZOOM_CLIENT_SECRET });
      assert.ok(zoom.update('ada@example.com', 'activate').ok);
      zoom.close();
      const wrong = client({ ...oauth, clientSecret: 'wrong-secret' });
      const answer = wrong.update('ada@example.com', 'activate');
      assert.strictEqual(answer.code, 'ZUS_ERR_TOKEN');
      assert.doesNotMatch(answer.message, /wrong-secret/);
      wrong.close();
    },
    'a server that never answers': () => {
      const zoom = client({ connectMs: 300, totalMs: 300 });
      assert.strictEqual(zoom.update('answer-never@example.com', 'activate').code, 'ZUS_ERR_TIMEOUT');
      zoom.close();
    },
    'update_status.js: done': async () => {
      const { status, stdout } = await run(['grace@example.com', 'activate'], fixed);
      assert.strictEqual(stdout, 'HTTP 204\n');
      assert.strictEqual(status, 0);
    },
    'update_status.js: refused': async () => {
      const { status, stdout } = await run(['nobody@example.com', 'deactivate'], fixed);
      assert.match(stdout, /^HTTP 404\nZUS_ERR_USER_NOT_FOUND: .*User does not exist.*\nZoom's code: 1001\ntracking id: v=2\.0;.*\n$/s);
      assert.strictEqual(status, 1);
    },
    'update_status.js: misuse': async () => {
      assert.strictEqual((await run(['ada@example.com'], fixed)).status, 2);
      assert.strictEqual((await run(['ada@example.com', 'erase'], fixed)).status, 2);
      assert.strictEqual((await run(['', 'deactivate'], fixed)).status, 2);
      const { status, stderr } = await run(['ada@example.com', 'deactivate'], {});
      assert.match(stderr, /^ZUS_ERR_CREDENTIALS: /);
      assert.strictEqual(status, 2);
    },
  };
}

(async () => {
  const box = await sandbox();
  let passed = 0, failed = 0;
  for (const [name, test] of Object.entries(tests(box.env))) {
    try {
      await test();
      passed++;
    } catch (failure) {
      console.log(`FAILED  ${name}\n${failure.stack}`);
      failed++;
    }
  }
  box.stop();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
})();
