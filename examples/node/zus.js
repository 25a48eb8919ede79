// libzus in Node.js, through koffi. Copy this file, and `npm install koffi@3.3.4`.
//
//   const zus = require('./zus');
//   const zoom = new zus.Client({ token: 'eyJ...' });   // or { accountId, clientId, clientSecret }
//   const answer = zoom.update('ada@example.com', 'deactivate');
//   if (!answer.ok) console.log(answer.code, answer.message);
//   zoom.close();
//
// An answer of Zoom's or of the network's is returned; a mistake of the caller's (a blank id, no credentials) is
// thrown as a ZusError. `update` waits in place; `updateAsync` gives a promise, and waits on a worker thread.
'use strict';

const path = require('path');
const koffi = require('koffi');

// koffi runs C on a stack of its own: TLS needs more than an asynchronous call gets by default. It can't be changed
// once a library is loaded.
const STACK = 1024 * 1024;
if (koffi.config().async_stack_size < STACK) {
  try {
    koffi.config({ async_stack_size: STACK, max_async_calls: 4096 });
  } catch (failure) {
    throw new Error(`require('./zus') before anything else that loads a library with koffi: it needs a larger stack (${failure.message})`);
  }
}

const FILE = { win32: 'zus.dll', darwin: 'libzus.dylib' }[process.platform] || 'libzus.so';
const lib = koffi.load(path.join(process.env.ZUS_LIB_DIR || path.join(__dirname, '..', '..', 'target', 'release'), FILE));

koffi.opaque('zus_config');
koffi.opaque('zus_client');
koffi.opaque('zus_cancel');
koffi.opaque('zus_result');

const c = {};
for (const prototype of [
  'zus_config *zus_config_new()',
  'void zus_config_free(zus_config *config)',
  'int32_t zus_config_set_token(zus_config *config, const char *token)',
  'int32_t zus_config_set_oauth(zus_config *config, const char *account, const char *id, const char *secret)',
  'int32_t zus_config_set_urls(zus_config *config, const char *api, const char *oauth)',
  'int32_t zus_config_set_timeouts(zus_config *config, uint32_t connect_ms, uint32_t total_ms)',
  'int32_t zus_client_new(const zus_config *config, _Out_ zus_client **client)',
  'void zus_client_free(zus_client *client)',
  'int32_t zus_update_status(const zus_client *client, const char *user, int32_t action, const zus_cancel *cancel, _Out_ zus_result **result)',
  'void zus_result_free(zus_result *result)',
  'int32_t zus_result_http_status(const zus_result *result)',
  'int32_t zus_result_zoom_code(const zus_result *result)',
  'const char *zus_result_message(const zus_result *result)',
  'const char *zus_result_tracking_id(const zus_result *result)',
  'const char *zus_result_body(const zus_result *result, void *length)',
  'int64_t zus_result_retry_after(const zus_result *result)',
  'int32_t zus_result_attempts(const zus_result *result)',
  'const char *zus_code_name(int32_t code)',
  'const char *zus_code_text(int32_t code)',
  'const char *zus_version()',
]) {
  const name = /(zus_\w+)\(/.exec(prototype)[1];
  c[name] = lib.func(prototype);
}

const ACTIONS = { activate: 1, deactivate: 2, clock_in: 3, clock_out: 4 };

class ZusError extends Error {
  constructor(code, message) {
    super(message || c.zus_code_text(code));
    this.name = 'ZusError';
    this.code = c.zus_code_name(code); // "ZUS_ERR_ARGUMENT"
  }
}

function check(code) {
  if (code !== 0) throw new ZusError(code);
}

// A string of JavaScript's may hold a NUL, where C's would end: at another user's id.
function text(value, what) {
  if (typeof value !== 'string') throw new TypeError(`${what} is a string`);
  if (value.includes('\0')) throw new ZusError(3, `${what} holds a NUL`);
  // Node.js would send U+FFFD in its place: another user's id.
  if (/\p{Surrogate}/u.test(value)) throw new ZusError(2, `${what} holds half of a surrogate pair`);
  return value;
}

// C would take what is over 32 bits, or a fraction, for another number.
function milliseconds(value, what) {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw new ZusError(3, `${what} is a whole number`);
  return value;
}

// Copies an answer out of its handle, and frees that.
function answer(code, user, handle) {
  try {
    const message = c.zus_result_message(handle);
    if (code > 0 && code < 20) throw new ZusError(code, message); // the caller's mistake
    const retryAfter = c.zus_result_retry_after(handle);
    return Object.freeze({
      ok: code === 0,
      code: c.zus_code_name(code), // "ZUS_OK", "ZUS_ERR_USER_NOT_FOUND", ...
      user,
      statusCode: c.zus_result_http_status(handle), // 0 when no answer came
      zoomCode: c.zus_result_zoom_code(handle), // e.g. 1001; 0 for none
      message: code === 0 ? '' : message || c.zus_code_text(code),
      trackingId: c.zus_result_tracking_id(handle),
      body: c.zus_result_body(handle, null),
      retryAfter: Number(retryAfter) < 0 ? null : Number(retryAfter), // seconds
      attempts: c.zus_result_attempts(handle),
    });
  } finally {
    c.zus_result_free(handle);
  }
}

// Made once, and shared. close() it at the end; calls that run then are finished first.
class Client {
  #handle = null;
  #running = 0; // calls of updateAsync
  #closed = false;

  // token, or accountId + clientId + clientSecret; apiUrl, oauthUrl; connectMs with totalMs, the time in ms to connect
  // and for a whole call.
  constructor({ token, accountId, clientId, clientSecret, apiUrl, oauthUrl, connectMs, totalMs } = {}) {
    const config = c.zus_config_new();
    try {
      if (token !== undefined) check(c.zus_config_set_token(config, text(token, 'token')));
      else if (accountId !== undefined || clientId !== undefined || clientSecret !== undefined) {
        check(c.zus_config_set_oauth(config, text(accountId, 'accountId'), text(clientId, 'clientId'), text(clientSecret, 'clientSecret')));
      }
      if (apiUrl !== undefined) check(c.zus_config_set_urls(config, text(apiUrl, 'apiUrl'), null));
      if (oauthUrl !== undefined) check(c.zus_config_set_urls(config, null, text(oauthUrl, 'oauthUrl')));
      if (connectMs !== undefined || totalMs !== undefined) {
        check(c.zus_config_set_timeouts(config, milliseconds(connectMs, 'connectMs'), milliseconds(totalMs, 'totalMs')));
      }
      const made = [null];
      check(c.zus_client_new(config, made));
      this.#handle = made[0];
    } finally {
      c.zus_config_free(config);
    }
  }

  // From ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET; ZOOM_API_URL, ZOOM_OAUTH_URL.
  static fromEnv() {
    const env = (name) => process.env[name] || undefined;
    const urls = { apiUrl: env('ZOOM_API_URL'), oauthUrl: env('ZOOM_OAUTH_URL') };
    if (env('ZOOM_ACCESS_TOKEN')) return new Client({ token: env('ZOOM_ACCESS_TOKEN'), ...urls });
    return new Client({ accountId: env('ZOOM_ACCOUNT_ID'), clientId: env('ZOOM_CLIENT_ID'), clientSecret: env('ZOOM_CLIENT_SECRET'), ...urls });
  }

  // action: 'activate', 'deactivate', 'clock_in' or 'clock_out'
  update(user, action) {
    const out = [null];
    return answer(c.zus_update_status(...this.#call(user, action), null, out), user, out[0]);
  }

  updateAsync(user, action) {
    return new Promise((resolve, reject) => {
      const out = [null];
      c.zus_update_status.async(...this.#call(user, action), null, out, (failure, code) => {
        this.#running--;
        this.#free();
        try {
          if (failure) throw failure;
          resolve(answer(code, user, out[0]));
        } catch (mistake) {
          reject(mistake);
        }
      });
      this.#running++; // only now: what throws above never runs
    });
  }

  close() {
    this.#closed = true;
    this.#free();
  }

  // Once closed, when the last call has ended: a running one uses the client.
  #free() {
    if (!this.#closed || this.#running !== 0) return;
    c.zus_client_free(this.#handle);
    this.#handle = null;
  }

  #call(user, action) {
    if (this.#closed) throw new ZusError(1, 'the client is closed');
    return [this.#handle, text(user, 'user'), Object.hasOwnProperty.call(ACTIONS, action) ? ACTIONS[action] : 0];
  }
}

module.exports = { Client, ZusError, ACTIONS, version: () => c.zus_version() };
