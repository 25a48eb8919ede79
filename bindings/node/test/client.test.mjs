// Calls for one user, and what a client can be told.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as zus from 'zoom-user-status';

import { program, startSandbox } from './sandbox.mjs';

const { Client } = zus;
let box;
before(async () => (box = await startSandbox('--users', '50')));
after(() => box.stop());

const client = (options) => new Client({ ...box.options, ...options });
const code = (name, Class = zus.ZoomUserStatusError) => (error) => error instanceof Class && error.code === name && error.result.code === name;

test('a user is deactivated', async () => {
  const zoom = client();
  const result = await zoom.deactivate('ada@example.com');
  assert.equal(result.ok, true);
  assert.equal(result.code, 'ZUS_OK');
  assert.equal(result.userId, 'ada@example.com');
  assert.equal(result.action, 'deactivate');
  assert.equal(result.httpStatus, 204);
  assert.equal(result.message, '');
  assert.equal(result.attempts, 1);
  assert.equal(result.retryAfter, null);
  assert.equal(result.delivery, 'responded');
  assert.equal(result.userStatus, 'unknown');
  assert.match(result.headers['x-zm-trackingid'], /^v=2\.0;/);
  assert.equal((await zoom.status('ada@example.com')).status, 'inactive');
  for (const [method, action] of [['activate', 'activate'], ['clockIn', 'clock_in'], ['clockOut', 'clock_out']]) {
    assert.equal((await zoom[method]('ada@example.com')).action, action);
  }
  assert.equal((await zoom.update('grace@example.com', 'activate')).ok, true);
  assert.equal((await zoom.status('ada@example.com')).status, 'active');
  await zoom.close();
});

test('a status tells what Zoom says of a user', async () => {
  const zoom = client();
  const admin = await zoom.status('admin@example.com');
  assert.deepEqual([admin.userId, admin.status, admin.id, admin.email], ['admin@example.com', 'active', 'id-of-admin', 'admin@example.com']);
  assert.deepEqual([admin.ok, admin.roleId, admin.isProtected, admin.type, admin.dept], [true, '1', true, 2, 'Sandbox']);
  assert.deepEqual([admin.displayName, admin.createdAt, admin.lastLoginTime], ['admin Example', '2024-01-02T03:04:05Z', '2026-11-20T08:15:00Z']);
  assert.equal(admin.data.first_name, 'admin');
  assert.equal(admin.result.userStatus, 'active');
  assert.equal(admin.result.action, undefined);
  assert.equal((await zoom.status('pending@example.com')).status, 'pending');
  await assert.rejects(zoom.status('nobody@example.com'), zus.UserNotFoundError);
});

test('what Zoom refuses rejects with an error that has all that is known', async () => {
  const zoom = client();
  await assert.rejects(zoom.activate('nobody@example.com'), (error) => {
    assert.ok(error instanceof zus.UserNotFoundError && error instanceof zus.ZoomError && error instanceof Error);
    assert.equal(error.name, 'UserNotFoundError');
    assert.equal(error.code, 'ZUS_ERR_USER_NOT_FOUND');
    assert.match(error.message, /^nobody@example\.com: .*User does not exist.*\(ZUS_ERR_USER_NOT_FOUND, tracking id v=2\.0;/);
    const { httpStatus, zoomCode, trackingId, body, isFatal } = error.result;
    assert.deepEqual([httpStatus, zoomCode, isFatal], [404, 1001, false]);
    assert.match(trackingId, /^v=2\.0;/);
    assert.equal(JSON.parse(body).code, 1001);
    return true;
  });
  for (const [user, Class] of [
    ['admin@example.com', zus.UserProtectedError],
    ['events@example.com', zus.UserBusyError],
    ['answer-403@example.com', zus.ForbiddenError],
    ['answer-300@example.com', zus.RejectedError],
    ['answer-html@example.com', zus.ProtocolError],
  ]) {
    await assert.rejects(zoom.deactivate(user), Class);
  }
  await assert.rejects(zoom.activate('seatless@example.com'), zus.UserLimitReachedError);
  await assert.rejects(zoom.deactivate('answer-429-daily@example.com'), (error) => {
    const { retryAfter, isFatal } = error.result;
    return error instanceof zus.DailyLimitReachedError && error instanceof zus.RateLimitedError && retryAfter >= 0 && retryAfter <= 86_400 && isFatal;
  });
  const wrong = client({ token: 'expired' });
  await assert.rejects(wrong.deactivate('ada@example.com'), code('ZUS_ERR_UNAUTHORIZED', zus.UnauthorizedError));
});

test('a result is plain data', async () => {
  const result = await client().deactivate('ada@example.com');
  assert.ok(Object.isFrozen(result) && Object.isFrozen(result.headers));
  assert.deepEqual(structuredClone(result), result);
  assert.deepEqual(JSON.parse(JSON.stringify(result)), result);
});

test('what can not be sent is named, and nothing is sent', async () => {
  const zoom = client();
  const before = (await box.ledger()).requests;
  for (const user of ['', ' ada@example.com', 'ada@example.com\n', '.', '..', 'ada@example.com\0.evil', 'x'.repeat(1025)]) {
    await assert.rejects(zoom.deactivate(user), code('ZUS_ERR_ARGUMENT', zus.InvalidArgumentError), JSON.stringify(user));
  }
  for (const half of ['\ud800', '\udc00', '\udc00\ud800']) {
    await assert.rejects(zoom.deactivate(`ada${half}@example.com`), code('ZUS_ERR_UTF8', zus.InvalidArgumentError));
  }
  for (const user of [undefined, null, 7, {}]) await assert.rejects(zoom.deactivate(user), TypeError);
  for (const action of ['erase', 'toString', '']) {
    await assert.rejects(zoom.update('ada@example.com', action), code('ZUS_ERR_ARGUMENT', zus.UsageError));
    assert.throws(() => zoom.updateMany(['ada@example.com'], action), code('ZUS_ERR_ARGUMENT'));
  }
  const { signal } = new AbortController();
  for (const options of [{ signal: {} }, { signal: null }, { timeout: 5 }, null, 'signal', signal]) {
    await assert.rejects(zoom.deactivate('ada@example.com', options), { name: 'TypeError', message: /signal/ });
    assert.throws(() => zoom.updateMany(['ada@example.com'], 'activate', options), { name: 'TypeError', message: /signal/ });
  }
  assert.equal((await box.ledger()).requests, before);
  await assert.rejects(zoom.deactivate('🚆@example.com'), zus.UserNotFoundError); // a whole pair
});

test('an option that there is not is an error', () => {
  assert.throws(() => client({ rate_limit: 4 }), { name: 'TypeError', message: /no option rate_limit: there are token, .*rate, / });
  assert.throws(() => client({ toString: 1 }), TypeError);
  assert.throws(() => new Client(), TypeError);
});

test('an option that can not be used is named, with its range', () => {
  const ms = 'from 1 to 86400000 milliseconds';
  for (const [options, said] of [
    [{ timeout: 0 }, `timeout must be ${ms}`],
    [{ timeout: [1000, 86_400_001] }, `timeout must be ${ms}`],
    [{ timeout: NaN }, `timeout must be ${ms}`],
    [{ attemptTimeout: 86_400_001 }, 'attemptTimeout must be from 0 to 86400000 milliseconds, not 86400001'],
    [{ verify: -1 }, 'verify must be from 0 to 86400000 milliseconds, not -1'],
    [{ retries: 100 }, 'retries must be a whole number from 0 to 99, not 100'],
    [{ retries: 1.5 }, 'retries must be a whole number from 0 to 99, not 1.5'],
    [{ retries: 2 ** 32 + 1 }, 'retries must be a whole number from 0 to 99, not 4294967297'],
    [{ backoff: [2000, 1000] }, `backoff must be two times ${ms}, the shorter one first`],
    [{ rate: -1 }, 'rate must be less than 1000000 requests a second'],
    [{ rate: 1_000_000 }, 'rate must be less than 1000000 requests a second'],
    [{ rate: 1e-9 }, 'at least one a day'],
    [{ concurrency: 0 }, 'concurrency must be a whole number from 1 to 256, not 0'],
    [{ concurrency: 257 }, 'concurrency must be a whole number from 1 to 256, not 257'],
    [{ baseUrl: 'http://api.zoom.us/v2' }, 'baseUrl must be a URL (ZOOM_API_URL): https://..., or http:// to loopback'],
    [{ oauthUrl: 'zoom.us' }, 'oauthUrl must be a URL'],
    [{ proxy: 'ftp://proxy' }, 'proxy must be a URL'],
    [{ encoding: 'xml' }, 'encoding must be form or json'],
    [{ userAgent: 'two\nlines' }, 'userAgent must be up to 256 bytes'],
    [{ logLevel: 'verbose' }, 'logLevel must be error, warn, info or debug'],
    [{ token: 'Bearer x' }, 'token must be the token (ZOOM_ACCESS_TOKEN) alone'],
    [{ token: 'a\0b' }, 'token: '],
    [{ token: 'half\ud800' }, 'token: '],
  ]) {
    assert.throws(
      () => client(options),
      (error) => error instanceof zus.InvalidArgumentError && error.message.includes(said) && !error.message.includes('Bearer x'),
      JSON.stringify(options),
    );
  }
  for (const options of [{ timeout: '1' }, { retries: '3' }, { backoff: 500 }, { rate: '4' }, { proxy: 7 }, { tokenProvider: 'x', token: undefined }, { logger: 'x' }, { caFile: 7 }]) {
    assert.throws(() => client(options), TypeError, JSON.stringify(options));
  }
  assert.throws(() => client({ caFile: '/no/such/file.pem' }), { code: 'ENOENT' });
});

test('a CA file is read', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'zus-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'ca.pem');
  writeFileSync(file, 'no certificate');
  assert.throws(() => client({ caFile: file }), /caFile must be a file with certificates in PEM/);
});

test('one kind of credentials, and all of it', () => {
  const { baseUrl } = box.options;
  assert.throws(() => new Client({ baseUrl }), code('ZUS_ERR_CREDENTIALS', zus.CredentialsMissingError));
  assert.throws(() => new Client({ accountId: 'a', clientSecret: 'b' }), /missing: clientId/);
  assert.throws(() => new Client({ token: 'a', tokenProvider: () => 'b' }), /more than one kind of credentials: token, tokenProvider/);
});

test('all options together', async () => {
  const zoom = client({
    timeout: [5000, 20_000], attemptTimeout: 5000, retries: 1, backoff: [10, 20], rate: 2.5, concurrency: 2, verify: 1000,
    proxy: '', encoding: 'json', userAgent: 'test/1', logger: () => {}, logLevel: 'debug',
  });
  const before = (await box.ledger()).jsons;
  const result = await zoom.deactivate('user00001@example.com');
  assert.equal(result.userStatus, 'inactive');
  assert.equal((await box.ledger()).jsons, before + 1);
  await client({ rate: null, timeout: 20_000 }).activate('user00001@example.com');
});

test('an update is verified', async () => {
  const zoom = client({ verify: 2500 });
  assert.equal((await zoom.deactivate('late-1@example.com')).userStatus, 'inactive');
  for (const [user, status] of [['pending-1@example.com', 'pending'], ['ghost-1@example.com', 'active']]) {
    await assert.rejects(zoom.deactivate(user), (error) => {
      assert.ok(error instanceof zus.NotVerifiedError, error.stack);
      assert.deepEqual([error.result.userStatus, error.result.httpStatus], [status, 204]);
      return true;
    });
  }
});

test('the environment', async () => {
  const said = (env, code) => program(`try { ${code} } catch (error) { console.log(error.code, error.message); }`, { env });
  const { ZOOM_ACCESS_TOKEN: _, ...oauth } = box.env;
  for (const env of [box.env, oauth]) {
    const { stdout, stderr } = await said(env, `console.log((await Client.fromEnv({ rate: 4 }).activate('ada@example.com')).ok)`);
    assert.equal(stdout, 'true\n', stderr);
  }
  assert.match((await said({}, 'Client.fromEnv()')).stdout, /^ZUS_ERR_CREDENTIALS no credentials in the environment: set ZOOM_ACCESS_TOKEN or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET/);
  assert.match((await said({ ZOOM_ACCOUNT_ID: 'a', ZOOM_CLIENT_ID: 'b' }, 'Client.fromEnv()')).stdout, /: set ZOOM_CLIENT_SECRET /);
  assert.match((await said({ ...box.env, https_proxy: 'ftp://x' }, "Client.fromEnv({ baseUrl: 'https://localhost:1' })")).stdout, /HTTPS_PROXY \(else ALL_PROXY\) of the environment must be a URL/);
});

test('OAuth, and what is known of the credentials', async () => {
  const zoom = new Client(box.oauth);
  const credentials = await zoom.checkCredentials();
  assert.equal(credentials.kind, 'oauth');
  assert.deepEqual([...credentials.scopes].sort(), ['user:update:status:admin', 'user:write:admin']);
  assert.ok(credentials.expiresIn > 3500 && credentials.apiUrl.startsWith('http://127.0.0.1:'));
  assert.ok((await zoom.activate('ada@example.com')).ok);
  const wrong = new Client({ ...box.oauth, clientSecret: 'wrong-secret' });
  await assert.rejects(wrong.checkCredentials(), (error) => error instanceof zus.TokenError && !error.message.includes('wrong-secret'));
  assert.deepEqual(await client().checkCredentials(), { kind: 'token', tokenType: '', scopes: [], expiresIn: null, apiUrl: '' });
});

test('a token provider may be async, and is asked again when Zoom rejects its token', async () => {
  const asked = [];
  const tokenProvider = async (rejected) => {
    asked.push(rejected);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return rejected ? box.env.ZOOM_ACCESS_TOKEN : 'expired';
  };
  const zoom = client({ token: undefined, tokenProvider });
  assert.ok((await Promise.all(Array.from({ length: 20 }, () => zoom.activate('ada@example.com')))).every((result) => result.ok));
  assert.deepEqual(asked, [false, true]);
  const plain = client({ token: undefined, tokenProvider: () => box.env.ZOOM_ACCESS_TOKEN });
  assert.ok((await plain.activate('ada@example.com')).ok);
  assert.equal((await plain.checkCredentials()).kind, 'tokenProvider');
});

test('what a token provider throws is the cause', async () => {
  const vault = new Error('the vault is sealed');
  for (const tokenProvider of [
    () => { throw vault; },
    () => Promise.reject(vault),
  ]) {
    await assert.rejects(client({ token: undefined, tokenProvider }).activate('ada@example.com'), (error) => error instanceof zus.TokenError && error.cause === vault);
  }
  for (const token of [undefined, 7, '', 'Bearer x', 'a\0b', 'x'.repeat(9000)]) {
    const zoom = client({ token: undefined, tokenProvider: () => token });
    await assert.rejects(zoom.activate('ada@example.com'), (error) => error instanceof zus.TokenError && error.cause instanceof TypeError, String(token));
  }
});

test('a token provider can not call its own client, which would wait for it', async () => {
  const tokenProvider = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await zoom.status('ada@example.com');
    return box.options.token;
  };
  const zoom = client({ token: undefined, tokenProvider });
  await assert.rejects(zoom.deactivate('ada@example.com'), (error) => error instanceof zus.TokenError && error.cause instanceof zus.ReentrantError);
  const other = client();
  const through = client({ token: undefined, tokenProvider: async () => (await other.status('ada@example.com'), box.options.token) });
  assert.ok((await through.deactivate('ada@example.com')).ok);
  assert.ok((await other.activate('ada@example.com')).ok);
});

test('a token provider that never replies does not hold a call longer than its time', async () => {
  const zoom = client({ token: undefined, tokenProvider: () => new Promise(() => {}), timeout: 300 });
  await assert.rejects(zoom.activate('ada@example.com'), zus.TimedOutError);
});

test('log lines reach the logger, at its level', async () => {
  const lines = { info: [], debug: [] };
  for (const logLevel of ['info', 'debug']) {
    const zoom = client({ logLevel, logger: (level, message) => lines[logLevel].push([level, message]) });
    await zoom.activate('ada@example.com');
    await assert.rejects(zoom.activate('nobody@example.com'));
  }
  assert.deepEqual(lines.info.map(([level]) => level), ['info', 'info', 'error']);
  assert.ok(lines.debug.some(([level]) => level === 'debug'));
  assert.match(lines.info[2][1], /nobody@example\.com: ZUS_ERR_USER_NOT_FOUND/);
  assert.ok(!JSON.stringify(lines).includes(box.env.ZOOM_ACCESS_TOKEN));
});

test('what a logger throws is an uncaught exception, and no call hears of it', async () => {
  const { stdout, stderr } = await program(
    `process.on('uncaughtException', (error) => console.log('uncaught', error.message));
     const zoom = Client.fromEnv({ logger: () => { throw new Error('the disk is full'); } });
     console.log((await zoom.activate('ada@example.com')).ok);`,
    { env: box.env },
  );
  assert.deepEqual(stdout.trim().split('\n').sort(), ['true', 'uncaught the disk is full'], stderr);
});

test('close lets calls end, destroy ends them', async () => {
  const zoom = client();
  const slow = zoom.deactivate('answer-slow-300@example.com');
  const closed = zoom.close();
  await assert.rejects(zoom.deactivate('ada@example.com'), /the client is closed/);
  assert.throws(() => zoom.updateMany(['ada@example.com'], 'activate'), /the client is closed/);
  assert.equal((await slow).ok, true);
  await closed;
  await zoom.close();
  zoom.destroy();

  const other = client();
  const never = other.deactivate('answer-never@example.com');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const at = performance.now();
  other.destroy();
  await assert.rejects(never, zus.CancelledError);
  assert.ok(performance.now() - at < 1000);
  await other.close();

  client().destroy(); // nothing was started
  await client().close();
});

test('a client that nobody has any more lets its call end, and then goes', async () => {
  const { stdout, stderr } = await program(
    `import { readdirSync } from 'node:fs';
     import { setFlagsFromString } from 'node:v8';
     import { runInNewContext } from 'node:vm';
     setFlagsFromString('--expose-gc');
     const gc = runInNewContext('gc');
     const descriptors = () => readdirSync('/proc/self/fd').length;
     await (await fetch(new URL('/sandbox/ledger', process.env.ZOOM_API_URL))).text();
     await Client.fromEnv().activate('ada@example.com');
     const before = descriptors();
     const calls = Array.from({ length: 30 }, () => Client.fromEnv().activate('answer-slow-100@example.com'));
     gc();
     console.log((await Promise.all(calls)).every((result) => result.ok), descriptors() >= before + 60);
     for (let n = 0; n < 200 && descriptors() > before; n++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
     console.log(descriptors() <= before);`,
    { env: box.env },
  );
  assert.equal(stdout, 'true true\ntrue\n', stderr);
});
