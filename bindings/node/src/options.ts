// What a client can be told, checked and put into a configuration of the library's.

import { readFileSync } from 'node:fs';

import type { Encoding, LogLevel } from './codes';
import { codeOf, CODES, ENCODINGS, EVENTS_TOKEN, LOG_LEVELS } from './codes';
import { errorOf } from './failure';
import * as native from './native';
import type { Credentials } from './result';
import { unusable, why } from './text';

/** Gives an access token, or a promise of one. `rejected` says whether Zoom rejected the last one: then give another. */
export type TokenProvider = (rejected: boolean) => string | PromiseLike<string>;

/** Receives a log line. No line holds a secret, at any level. */
export type Logger = (level: LogLevel, message: string) => void;

/** What a client is made of. Give one kind of credentials. All times are in milliseconds. */
export interface ClientOptions {
  /** An access token that you got elsewhere. It can't be refreshed. */
  token?: string | undefined;
  /** With `clientId` and `clientSecret`: a Server-to-Server OAuth app, whose tokens are obtained, kept and refreshed. */
  accountId?: string | undefined;
  clientId?: string | undefined;
  clientSecret?: string | undefined;
  /** A function that gives tokens. It may be async, and must not call its own client. A token is kept until Zoom rejects it. */
  tokenProvider?: TokenProvider | undefined;
  /** The API's URL; https, except on loopback. Default: `https://api.zoom.us/v2`. */
  baseUrl?: string | undefined;
  /** Where tokens come from. Default: `https://zoom.us/oauth/token`. */
  oauthUrl?: string | undefined;
  /** For a whole call with its retries and waits; or two times: to connect, and for the whole. Default: `[10000, 60000]`. */
  timeout?: number | readonly [connect: number, total: number] | undefined;
  /** For one attempt, which is retried after it. 0, the default: the whole time divided by the attempts, but at least 10,000. */
  attemptTimeout?: number | undefined;
  /** How often a request is retried where that is safe and useful, 0 to 99. Default: 3. */
  retries?: number | undefined;
  /** The wait before the first retry, and the longest before any. Default: `[500, 30000]`. */
  backoff?: readonly [first: number, longest: number] | undefined;
  /** Requests a second of the whole client; null or 0 for no limit. Zoom allows 4 (Free), 30 (Pro, the default), 80 (Business). */
  rate?: number | null | undefined;
  /** Calls at once, 1 to 256. Default: 16. */
  concurrency?: number | undefined;
  /** Reads the user after an update until the status is the wanted one, for up to this long. 0, the default: doesn't. */
  verify?: number | undefined;
  /** A proxy's URL; "" for none. Not given, or null: the environment's. */
  proxy?: string | null | undefined;
  /** A PEM file: only its certificates are trusted. Not given: the operating system's. */
  caFile?: string | URL | undefined;
  /** `form` sends the action as form data and, where that is rejected, as JSON from then on; `json` at once. */
  encoding?: Encoding | undefined;
  userAgent?: string | undefined;
  /** Receives log lines, of `logLevel` and those before it. */
  logger?: Logger | undefined;
  /** error, warn, info (the default) or debug. */
  logLevel?: LogLevel | undefined;
}

export const DEFAULTS = {
  timeout: [10_000, 60_000],
  retries: 3,
  backoff: [500, 30_000],
  rate: 30,
  concurrency: 16,
} as const;

const MS = 'from 1 to 86400000 milliseconds';
const WAIT = 'from 0 to 86400000 milliseconds';
const URLS = 'https://..., or http:// to loopback, without a user, query or fragment';
// None of these texts contains a value, which may be a secret.
const MUST_BE = {
  token: 'the token (ZOOM_ACCESS_TOKEN) alone, without "Bearer ", whitespace or line breaks',
  'accountId, clientId, clientSecret':
    'as the app shows them (ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET): not empty, without line breaks, and no colon in clientId',
  tokenProvider: 'a function',
  baseUrl: `a URL (ZOOM_API_URL): ${URLS}`,
  oauthUrl: `a URL (ZOOM_OAUTH_URL): ${URLS}`,
  timeout: `${MS}, or two such times: [connect, total]`,
  attemptTimeout: WAIT,
  retries: 'a whole number from 0 to 99',
  backoff: `two times ${MS}, the shorter one first: [first, longest]`,
  rate: 'less than 1000000 requests a second and at least one a day; null or 0 for no limit',
  concurrency: 'a whole number from 1 to 256',
  verify: WAIT,
  proxy: 'a URL: http://, https:// or socks5://, then [user:password@]host[:port]',
  caFile: 'a file with certificates in PEM',
  encoding: 'form or json',
  userAgent: 'up to 256 bytes, without control characters',
  logger: 'a function',
  logLevel: 'error, warn, info or debug',
};
const ENVIRONMENTS_PROXY = 'HTTPS_PROXY (else ALL_PROXY) of the environment';
const NAMES = new Set<string>([
  ...Object.keys(MUST_BE).flatMap((name) => name.split(', ')),
]);

type Name = keyof typeof MUST_BE;

function invalid(name: Name, value?: unknown): Error {
  const not = typeof value === 'number' ? `, not ${value}` : '';
  return errorOf('ZUS_ERR_ARGUMENT', `${name} must be ${MUST_BE[name]}${not}`);
}

function wrongType(name: Name): Error {
  return new TypeError(`${name} must be ${MUST_BE[name]}`);
}

/** Checks the names of all options, and which credentials they are. */
export function kindOf(options: ClientOptions): Credentials['kind'] {
  if (typeof options !== 'object' || options === null) throw new TypeError('a client takes an object of options');
  for (const name of Object.keys(options)) {
    if (!NAMES.has(name)) throw new TypeError(`there is no option ${name}: there are ${[...NAMES].join(', ')}`);
  }
  const { token, accountId, clientId, clientSecret, tokenProvider } = options;
  const oauth = { accountId, clientId, clientSecret };
  const missing = Object.entries(oauth).flatMap(([name, value]) => (value === undefined ? [name] : []));
  const kinds: Credentials['kind'][] = [];
  if (token !== undefined) kinds.push('token');
  if (missing.length < 3) kinds.push('oauth');
  if (tokenProvider !== undefined) kinds.push('tokenProvider');
  const [kind, ...more] = kinds;
  if (kind === undefined) {
    throw errorOf('ZUS_ERR_CREDENTIALS', 'no credentials: give a token, accountId with clientId and clientSecret, or a tokenProvider');
  }
  if (more.length > 0) throw errorOf('ZUS_ERR_ARGUMENT', `more than one kind of credentials: ${kinds.join(', ')}`);
  if (kind === 'oauth' && missing.length > 0) throw errorOf('ZUS_ERR_CREDENTIALS', `missing: ${missing.join(', ')}`);
  return kind;
}

/** Makes a native client. Its log lines and token requests reach the queue. */
export function open(options: ClientOptions, queue: native.Pointer): native.Pointer {
  const config = native.configNew();
  const put = (name: Name | typeof ENVIRONMENTS_PROXY, code: number, value?: unknown): void => {
    if (code === 0) return;
    if (code === CODES.ZUS_ERR_ARGUMENT) {
      throw name === ENVIRONMENTS_PROXY ? errorOf('ZUS_ERR_ARGUMENT', `${name} must be ${MUST_BE.proxy}`) : invalid(name, value);
    }
    const known = codeOf(code);
    throw errorOf(known === 'ZUS_ERR_UNKNOWN' ? 'ZUS_ERR_PANIC' : known, `${name}: ${native.configMessage(config)}`);
  };
  try {
    const { token, accountId, clientId, clientSecret, tokenProvider } = options;
    if (token !== undefined) put('token', native.setToken(config, text('token', token)));
    if (accountId !== undefined) {
      const name = 'accountId, clientId, clientSecret';
      put(name, native.setOauth(config, text(name, accountId), text(name, clientId), text(name, clientSecret)));
    }
    if (tokenProvider !== undefined && typeof tokenProvider !== 'function') throw wrongType('tokenProvider');

    const { baseUrl, oauthUrl } = options;
    if (baseUrl !== undefined) put('baseUrl', native.setUrls(config, text('baseUrl', baseUrl), null));
    if (oauthUrl !== undefined) put('oauthUrl', native.setUrls(config, null, text('oauthUrl', oauthUrl)));

    const [connect, total] = timeouts(options.timeout ?? DEFAULTS.timeout);
    put('timeout', native.setTimeouts(config, connect, total), options.timeout);
    const attempt = number('attemptTimeout', options.attemptTimeout ?? 0);
    put('attemptTimeout', native.setAttemptTimeout(config, attempt), attempt);
    const verify = number('verify', options.verify ?? 0);
    put('verify', native.setVerify(config, verify), verify);
    const retries = whole('retries', options.retries ?? DEFAULTS.retries);
    put('retries', native.setRetry(config, retries + 1, 1, 1), retries); // alone, to tell it from backoff
    const [first, longest] = pair('backoff', options.backoff ?? DEFAULTS.backoff);
    put('backoff', native.setRetry(config, retries + 1, first, longest));
    const rate = options.rate === undefined ? DEFAULTS.rate : options.rate;
    put('rate', native.setRate(config, ...perMs(rate)), rate);
    const concurrency = whole('concurrency', options.concurrency ?? DEFAULTS.concurrency);
    put('concurrency', native.setConcurrency(config, concurrency), concurrency);

    const { encoding = 'form', proxy, caFile, userAgent, logger, logLevel = 'info' } = options;
    if (!Object.hasOwn(ENCODINGS, encoding)) throw invalid('encoding');
    put('encoding', native.setEncoding(config, ENCODINGS[encoding]));
    if (proxy !== undefined && proxy !== null) put('proxy', native.setProxy(config, text('proxy', proxy)));
    if (caFile !== undefined) {
      if (typeof caFile !== 'string' && !(caFile instanceof URL)) throw wrongType('caFile');
      const pem = readFileSync(caFile);
      put('caFile', native.setCaPem(config, pem, pem.length));
    }
    if (userAgent !== undefined) put('userAgent', native.setUserAgent(config, text('userAgent', userAgent)));
    if (logger !== undefined && typeof logger !== 'function') throw wrongType('logger');
    if (!Object.hasOwn(LOG_LEVELS, logLevel)) throw invalid('logLevel');
    const kinds = (logger ? LOG_LEVELS[logLevel] : 0) + (tokenProvider ? EVENTS_TOKEN : 0);
    if (kinds !== 0) put('logger', native.setEvents(config, queue, kinds));

    const client: [native.Pointer | null] = [null];
    put(ENVIRONMENTS_PROXY, native.clientNew(config, client)); // what is read only now
    return client[0] as native.Pointer;
  } finally {
    native.configFree(config);
  }
}

function text(name: Name, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be ${name.includes(',') ? 'strings' : 'a string'}: ${MUST_BE[name]}`);
  const code = unusable(value);
  if (code !== undefined) throw errorOf(code, `${name}: ${why(code)}`);
  return value;
}

/** A number that C takes as it is: a wait that is not zero doesn't become zero. */
function number(name: Name, value: unknown): number {
  if (typeof value !== 'number') throw wrongType(name);
  if (!(value >= 0 && value < 2 ** 31)) throw invalid(name, value);
  return Math.ceil(value);
}

function whole(name: Name, value: unknown): number {
  const checked = number(name, value);
  if (checked !== value) throw invalid(name, value);
  return checked;
}

function pair(name: Name, value: unknown): [number, number] {
  if (!Array.isArray(value) || value.length !== 2) throw wrongType(name);
  return [number(name, value[0]), number(name, value[1])];
}

function timeouts(value: number | readonly [number, number]): [number, number] {
  if (typeof value !== 'number') return pair('timeout', value);
  const total = number('timeout', value);
  return [Math.min(DEFAULTS.timeout[0], total), total];
}

/** Requests a second as so many in so many milliseconds: 2.5 is 5 in 2000. */
function perMs(rate: number | null): [requests: number, ms: number] {
  if (rate === null || rate === 0) return [0, 1000];
  if (typeof rate !== 'number') throw wrongType('rate');
  if (!(rate > 0 && rate < 1_000_000)) throw invalid('rate', rate);
  if (rate < 1) return [1, Math.ceil(Math.min(1000 / rate, 2 ** 31))];
  let best: [number, number] = [Math.round(rate), 1];
  for (let seconds = 2; seconds <= 60; seconds++) {
    const requests = Math.round(rate * seconds);
    if (Math.abs(requests / seconds - rate) < Math.abs(best[0] / best[1] - rate)) best = [requests, seconds];
  }
  return [best[0], best[1] * 1000];
}
