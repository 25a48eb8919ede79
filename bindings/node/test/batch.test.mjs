// Many users.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as zus from 'zoom-user-status';

import { collect, startSandbox } from './sandbox.mjs';

const { Client } = zus;
let box;
before(async () => (box = await startSandbox('--users', '6000')));
after(() => box.stop());

const client = (options) => new Client({ ...box.options, rate: null, ...options });
const code = (name) => (error) => error instanceof zus.QueueFullError && error.code === name;
const some = (count, from = 1) => Array.from({ length: count }, (_, n) => `user${String(from + n).padStart(5, '0')}@example.com`);

test('each user has a result, and a failed user is a result', async () => {
  const users = ['ada@example.com', 'nobody@example.com', ' bad', 'nul\0@example.com', 'half\ud800', 'ada@example.com', 'grace@example.com'];
  const results = await collect(client().updateMany(users, 'activate'));
  results.sort((a, b) => a.index - b.index);
  assert.deepEqual(results.map((result) => [result.userId, result.index]), users.map((user, index) => [user, index]));
  assert.deepEqual(
    results.map((result) => result.code.slice(4)),
    ['OK', 'ERR_USER_NOT_FOUND', 'ERR_ARGUMENT', 'ERR_ARGUMENT', 'ERR_UTF8', 'OK', 'OK'],
  );
  assert.ok(results.every((result) => result.action === 'activate'));
  assert.deepEqual(await collect(client().updateMany([], 'activate')), []);
});

test('5,000 users, and as many promises', async () => {
  const zoom = client({ concurrency: 64 });
  const users = some(5000);
  const results = await collect(zoom.updateMany(users, 'deactivate'));
  assert.equal(results.filter((result) => result.ok).length, 5000);
  assert.equal(new Set(results.map((result) => result.index)).size, 5000);
  const promises = await Promise.all(users.map((user) => zoom.activate(user)));
  assert.ok(promises.every((result) => result.ok));
});

test('users may come from anywhere, a window ahead of their results', async () => {
  let pulled = 0;
  let returned = false;
  async function* slowly() {
    try {
      for (const user of some(100)) {
        pulled++;
        if (pulled % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        yield user;
      }
    } finally {
      returned = true;
    }
  }
  const zoom = client({ concurrency: 4 });
  let taken = 0;
  for await (const result of zoom.updateMany(slowly(), 'activate')) {
    assert.ok(result.ok);
    taken++;
    assert.ok(pulled <= taken + 8, `${pulled} pulled, ${taken} taken`);
  }
  assert.deepEqual([taken, returned], [100, true]);
  assert.equal((await collect(zoom.updateMany(new Set(some(3)), 'activate'))).length, 3);
});

test('nothing is sent before the first result is asked for', async () => {
  const before = (await box.ledger()).requests;
  const results = client().updateMany(some(5), 'activate');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await box.ledger()).requests, before);
  assert.equal((await collect(results)).length, 5);
});

test('what can not be users is an error', async () => {
  const zoom = client();
  for (const users of ['ada@example.com', undefined, null, 7, {}]) assert.throws(() => zoom.updateMany(users, 'activate'), TypeError);
  const results = [];
  await assert.rejects(async () => {
    for await (const result of zoom.updateMany(['ada@example.com', 7, 'grace@example.com'], 'activate')) results.push(result);
  }, /a user ID is a string, not number/);
  assert.deepEqual(results.map((result) => [result.userId, result.ok]), [['ada@example.com', true]]);
  const broken = new Error('the file is gone');
  async function* users() {
    yield 'ada@example.com';
    throw broken;
  }
  const more = [];
  await assert.rejects(async () => {
    for await (const result of zoom.updateMany(users(), 'activate')) more.push(result.ok);
  }, broken);
  assert.deepEqual(more, [true]);
  const unopened = { [Symbol.iterator]() { throw broken; } };
  await assert.rejects(collect(zoom.updateMany(unopened, 'activate')), broken);
  await zoom.close(); // which waits for batches
});

test('who breaks the loop ends the users in flight, and nobody else is sent', async () => {
  const before = (await box.ledger()).requests;
  const zoom = client({ concurrency: 4 });
  const users = ['ada@example.com', ...Array.from({ length: 100 }, (_, n) => `answer-slow-5000+${n}@example.com`)];
  const at = performance.now();
  for await (const result of zoom.updateMany(users, 'activate')) {
    assert.equal(result.userId, 'ada@example.com');
    break;
  }
  assert.ok(performance.now() - at < 2000);
  await zoom.close();
  assert.ok((await box.ledger()).requests <= before + 1 + 4 + 1);
});

test('an abort: users in flight have their results, the others none, and then it is thrown', async () => {
  const zoom = client({ concurrency: 4 });
  const users = [...some(6), ...Array.from({ length: 100 }, (_, n) => `answer-never+${n}@example.com`)];
  const controller = new AbortController();
  const results = [];
  const reason = new Error('enough');
  let aborted;
  await assert.rejects(
    async () => {
      for await (const result of zoom.updateMany(users, 'activate', { signal: controller.signal })) {
        results.push(result);
        if (results.length === 6) setTimeout(() => { aborted = performance.now(); controller.abort(reason); }, 100);
      }
    },
    (error) => error instanceof zus.CancelledError && error.name === 'AbortError' && error.cause === reason,
  );
  assert.ok(performance.now() - aborted < 500);
  assert.equal(results.filter((result) => result.ok).length, 6);
  const cancelled = results.filter((result) => result.code === 'ZUS_ERR_CANCELLED');
  assert.ok(cancelled.length >= 1 && cancelled.length <= 4, `${cancelled.length} cancelled`);
  assert.ok(cancelled.every((result) => result.attempts > 0 && result.delivery === 'unknown'));
  assert.equal(results.length, 6 + cancelled.length);

  const before = (await box.ledger()).requests;
  await assert.rejects(collect(zoom.updateMany(some(5), 'activate', { signal: AbortSignal.abort() })), { name: 'AbortError' });
  assert.equal((await box.ledger()).requests, before);
});

test('an abort does not wait for the next user', async () => {
  async function* forever() {
    yield 'ada@example.com';
    await new Promise(() => {});
  }
  const ended = collect(client().updateMany(forever(), 'activate', { signal: AbortSignal.timeout(100) }));
  const late = new Promise((_, reject) => setTimeout(reject, 5000, new Error('it waits')));
  await assert.rejects(Promise.race([ended, late]), { name: 'AbortError' });
});

test('what every user would fail by ends it: nobody who waits is sent, and it is thrown after the last result', async () => {
  const sealed = () => {
    throw new Error('sealed');
  };
  const like = (user) => Array.from({ length: 100 }, (_, n) => `${user}+${n}@example.com`);
  for (const [options, users, Class, count, sent = count] of [
    [{ token: 'no-scope' }, some(100), zus.ForbiddenError, 1],
    [{ token: 'expired' }, some(100), zus.UnauthorizedError, 1],
    [{ token: 'no-read', verify: 1000 }, some(100), zus.ForbiddenError, 1, 0],
    [{ token: undefined, tokenProvider: sealed, concurrency: 1 }, some(100), zus.TokenError, 1, 0],
    [{ token: undefined, tokenProvider: sealed, verify: 1000 }, some(100), zus.TokenError, 1, 0],
    [{}, like('answer-429-daily'), zus.DailyLimitReachedError, 1],
    [{}, like('answer-403'), zus.ForbiddenError, 5], // so many in a row lack it
  ]) {
    const before = (await box.ledger()).requests;
    const results = [];
    await assert.rejects(async () => {
      for await (const result of client({ rate: 10, ...options }).updateMany(users, 'activate')) results.push(result);
    }, Class);
    assert.deepEqual([results.length, (await box.ledger()).requests - before], [count, sent], JSON.stringify(options));
    assert.deepEqual(results.map((result) => result.isFatal), Array.from({ length: count }, (_, n) => n === count - 1));
  }
});

test('one user without a permission blocks nobody', async () => {
  const users = [...some(1), ...Array.from({ length: 20 }, (_, n) => `answer-403+${n}@example.com`), ...some(5)];
  const results = await collect(client({ concurrency: 1 }).updateMany(users, 'activate'));
  assert.equal(results.filter((result) => result.ok).length, 6);
  assert.equal(results.filter((result) => result.code === 'ZUS_ERR_FORBIDDEN' && !result.isFatal).length, 20);
});

test('a missing scope for reading ends a verified batch before the first update', async () => {
  const before = await box.ledger();
  const results = [];
  await assert.rejects(async () => {
    for await (const result of client({ token: 'no-read', verify: 1000 }).updateMany(some(50), 'deactivate')) results.push(result);
  }, zus.ForbiddenError);
  assert.deepEqual(results.map(({ code, delivery, index, isFatal }) => [code, delivery, index, isFatal]), [['ZUS_ERR_FORBIDDEN', 'not_sent', 0, true]]);
  assert.match(results[0].message, /user:read:user/);
  const now = await box.ledger();
  assert.deepEqual([now.requests - before.requests, now.reads - before.reads], [0, 1]);
});

test('a verified batch', async () => {
  const users = ['ada@example.com', 'pending@example.com', 'ghost@example.com', 'late@example.com', 'nobody@example.com'];
  const results = await collect(client({ verify: 2500 }).updateMany(users, 'deactivate'));
  const of = Object.fromEntries(results.map((result) => [result.userId.split('@')[0], [result.code, result.userStatus]]));
  assert.deepEqual(of, {
    ada: ['ZUS_OK', 'inactive'],
    pending: ['ZUS_ERR_NOT_VERIFIED', 'pending'],
    ghost: ['ZUS_ERR_NOT_VERIFIED', 'active'],
    late: ['ZUS_OK', 'inactive'],
    nobody: ['ZUS_ERR_USER_NOT_FOUND', 'unknown'],
  });
});

test('statuses', async () => {
  const all = await collect(client().statuses(['grace@example.com', 'nobody@example.com', 'pending@example.com']));
  const of = Object.fromEntries(all.map((user) => [user.userId.split('@')[0], [user.status, user.ok, user.email]]));
  assert.deepEqual(of, { grace: ['active', true, 'grace@example.com'], nobody: ['unknown', false, ''], pending: ['pending', true, 'pending@example.com'] });
});

test('a batch goes on after close, and ends with destroy', async () => {
  const zoom = client();
  const results = zoom.updateMany(some(100), 'activate');
  await results.next();
  const closed = zoom.close();
  assert.equal((await collect(results)).length, 99);
  await closed;
  const other = client({ concurrency: 2 });
  const ended = other.updateMany(Array.from({ length: 50 }, (_, n) => `answer-never+${n}@example.com`), 'activate');
  const first = ended.next();
  await new Promise((resolve) => setTimeout(resolve, 50));
  other.destroy();
  assert.equal((await first).value.code, 'ZUS_ERR_CANCELLED');
  await assert.rejects(collect(ended), /the client is closed/);
});

test('the 65,537th call is refused, and a batch waits for room', async () => {
  const zoom = client({ concurrency: 2 });
  const never = Array.from({ length: 65_536 - 3 }, (_, n) => zoom.activate(`answer-never+${n % 100}@example.com`).catch((error) => error.code));
  const other = client({ concurrency: 2 }); // has a queue of its own
  assert.ok((await other.activate('ada@example.com')).ok);
  const controller = new AbortController();
  const batch = collect(zoom.updateMany(some(50), 'activate', { signal: controller.signal })).catch((error) => error.name);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await assert.rejects(zoom.activate('ada@example.com'), code('ZUS_ERR_QUEUE_FULL'));
  controller.abort();
  assert.equal(await batch, 'AbortError');
  zoom.destroy();
  assert.deepEqual([...new Set(await Promise.all(never))], ['ZUS_ERR_CANCELLED']);
});
