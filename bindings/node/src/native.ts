// libzus itself: where it is found, and its functions. No type gets a name in koffi, whose names are the process's: a second
// copy of this package, or a second Jest file, would find them taken.

import { existsSync } from 'node:fs';
import * as path from 'node:path';

// koffi's own declarations are those of an ES module, which a CommonJS module can't import.
interface Koffi {
  load(file: string): { func(prototype: string): unknown };
  decode: { string(pointer: Pointer, length: number): string };
}
const koffi = require('koffi') as Koffi;

/** A handle of the library's. */
export type Pointer = bigint;
/** Where a function puts what it gives. */
type Out<T> = [T | null];

/** The ABI that this package was made for. */
const ABI = 0;

function file(): string {
  switch (process.platform) {
    case 'win32':
      return 'zus.dll';
    case 'darwin':
      return 'libzus.dylib';
    default:
      return 'libzus.so';
  }
}

/** What the system's loader may know it as. */
function installed(): string[] {
  switch (process.platform) {
    case 'win32':
      return ['zus.dll'];
    case 'darwin':
      return [`libzus.${ABI}.dylib`, 'libzus.dylib'];
    default:
      return [`libzus.so.${ABI}`, 'libzus.so'];
  }
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  report.excludeNetwork = true; // or it looks up host names
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  if (before !== undefined) report.excludeNetwork = before;
  return header?.glibcVersionRuntime === undefined;
}

/** Loads the library that ZUS_LIBRARY names, else this package's own for this system, else the system's. */
function load(): ReturnType<Koffi['load']> {
  const named = process.env['ZUS_LIBRARY'];
  if (named) {
    if (!existsSync(named)) throw new Error(`libzus was not found: there is no ${named} (from the environment variable ZUS_LIBRARY)`);
    return attempt(named);
  }
  const system = `${process.platform}-${process.arch}`;
  const native = path.join(__dirname, '..', 'native');
  const own = [path.join(native, system, file())];
  if (process.platform === 'linux' && existsSync(`${path.join(native, system)}-musl`) && isMusl()) {
    own.unshift(path.join(native, `${system}-musl`, file()));
  }
  const found = own.find((candidate) => existsSync(candidate));
  if (found !== undefined) return attempt(found);
  for (const name of installed()) {
    try {
      return koffi.load(name);
    } catch {
      // the next one
    }
  }
  throw new Error(
    `libzus was not found: this package has none for ${system} (looked for ${own[0]}), and the system's loader knows no ` +
      `${installed().join(' and no ')}. Install libzus, or set ZUS_LIBRARY to its shared library.`,
  );
}

function attempt(candidate: string): ReturnType<Koffi['load']> {
  try {
    return koffi.load(candidate);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`libzus could not be loaded from ${candidate}: ${why}`, { cause });
  }
}

const library = load();

/** The functions that this package calls. */
export const FUNCTIONS: string[] = [];

function bind<T extends (...values: never[]) => unknown>(prototype: string): T {
  const name = /(zus_\w+)\(/.exec(prototype)?.[1] ?? prototype;
  FUNCTIONS.push(name);
  try {
    return library.func(prototype) as T;
  } catch (cause) {
    throw new Error(`this libzus is not the one that this package was made for: it has no ${name}`, { cause });
  }
}

const abiVersion = bind<() => number>('int32_t zus_abi_version()');
if (abiVersion() !== ABI) {
  throw new Error(`this libzus has the ABI ${abiVersion()}, and this package was made for ${ABI}`);
}

type Set1<T> = (config: Pointer, value: T) => number;
type Set2<A, B> = (config: Pointer, a: A, b: B) => number;
type Set3<A, B, C> = (config: Pointer, a: A, b: B, c: C) => number;
type Of<T> = (handle: Pointer) => T;
/** It can wait on a thread of Node.js's pool as well. */
export type Next = {
  (queue: Pointer, waitMs: number): Pointer | null;
  async(queue: Pointer, waitMs: number, done: (error: unknown, event: Pointer | null) => void): void;
};

export const version = bind<() => string>('const char *zus_version()');
export const codeText = bind<(code: number) => string>('const char *zus_code_text(int32_t code)');

export const configNew = bind<() => Pointer>('void *zus_config_new()');
export const configFree = bind<Of<void>>('void zus_config_free(void *config)');
export const configMessage = bind<Of<string>>('const char *zus_config_message(void *config)');
export const setToken = bind<Set1<string>>('int32_t zus_config_set_token(void *config, const char *token)');
export const setOauth = bind<Set3<string, string, string>>('int32_t zus_config_set_oauth(void *config, const char *account_id, const char *client_id, const char *client_secret)');
export const setUrls = bind<Set2<string | null, string | null>>('int32_t zus_config_set_urls(void *config, const char *api, const char *oauth)');
export const setEncoding = bind<Set1<number>>('int32_t zus_config_set_encoding(void *config, int32_t encoding)');
export const setTimeouts = bind<Set2<number, number>>('int32_t zus_config_set_timeouts(void *config, uint32_t connect_ms, uint32_t total_ms)');
export const setAttemptTimeout = bind<Set1<number>>('int32_t zus_config_set_attempt_timeout(void *config, uint32_t attempt_ms)');
export const setVerify = bind<Set1<number>>('int32_t zus_config_set_verify(void *config, uint32_t wait_ms)');
export const setRetry = bind<Set3<number, number, number>>('int32_t zus_config_set_retry(void *config, uint32_t attempts, uint32_t first_ms, uint32_t most_ms)');
export const setRate = bind<Set2<number, number>>('int32_t zus_config_set_rate(void *config, uint32_t requests, uint32_t per_ms)');
export const setConcurrency = bind<Set1<number>>('int32_t zus_config_set_concurrency(void *config, uint32_t in_flight)');
export const setProxy = bind<Set1<string>>('int32_t zus_config_set_proxy(void *config, const char *url)');
export const setCaPem = bind<Set2<Uint8Array, number>>('int32_t zus_config_set_ca_pem(void *config, const uint8_t *pem, size_t length)');
export const setUserAgent = bind<Set1<string>>('int32_t zus_config_set_user_agent(void *config, const char *user_agent)');
export const setEvents = bind<Set2<Pointer, number>>('int32_t zus_config_set_events(void *config, void *queue, int32_t kinds)');

export const clientNew = bind<(config: Pointer, client: Out<Pointer>) => number>('int32_t zus_client_new(void *config, _Out_ void **client)');
export const clientFree = bind<Of<void>>('void zus_client_free(void *client)');
export const clientStopStarted = bind<(client: Pointer, cancel: Pointer) => void>('void zus_client_stop_started(void *client, void *cancel)');
type Start = (client: Pointer, userId: string, cancel: Pointer | null, queue: Pointer, call: number) => number;
export const startUpdate = bind<(client: Pointer, userId: string, action: number, cancel: Pointer | null, queue: Pointer, call: number) => number>(
  'int32_t zus_update_status_start(void *client, const char *user_id, int32_t action, void *cancel, void *queue, uintptr_t userdata)',
);
export const startRead = bind<Start>('int32_t zus_get_user_status_start(void *client, const char *user_id, void *cancel, void *queue, uintptr_t userdata)');
export const startCheck = bind<(client: Pointer, cancel: Pointer | null, queue: Pointer, call: number) => number>(
  'int32_t zus_check_credentials_start(void *client, void *cancel, void *queue, uintptr_t userdata)',
);

export const cancelNew = bind<() => Pointer>('void *zus_cancel_new()');
export const cancelTrigger = bind<Of<void>>('void zus_cancel_trigger(void *cancel)');
export const cancelFree = bind<Of<void>>('void zus_cancel_free(void *cancel)');

export const queueNew = bind<() => Pointer>('void *zus_queue_new()');
export const queueFree = bind<Of<void>>('void zus_queue_free(void *queue)');
export const queueNext = bind<Next>('void *zus_queue_next(void *queue, uint32_t wait_ms)');
export const queueWake = bind<Of<void>>('void zus_queue_wake(void *queue)');
export const queueDescriptor = bind<Of<number>>('int64_t zus_queue_descriptor(void *queue)');

export const eventKind = bind<Of<number>>('int32_t zus_event_kind(void *event)');
export const eventUserdata = bind<Of<number>>('uintptr_t zus_event_userdata(void *event)');
export const eventResult = bind<Of<Pointer>>('void *zus_event_result(void *event)');
export const eventLogLevel = bind<Of<number>>('int32_t zus_event_log_level(void *event)');
export const eventMessage = bind<Of<string>>('const char *zus_event_message(void *event)');
export const eventTokenRejected = bind<Of<number>>('int32_t zus_event_token_rejected(void *event)');
export const eventSetToken = bind<(event: Pointer, token: string) => number>('int32_t zus_event_set_token(void *event, const char *token)');
export const eventFree = bind<Of<void>>('void zus_event_free(void *event)');

export const resultCode = bind<Of<number>>('int32_t zus_result_code(void *result)');
export const resultHttpStatus = bind<Of<number>>('int32_t zus_result_http_status(void *result)');
export const resultZoomCode = bind<Of<number>>('int32_t zus_result_zoom_code(void *result)');
export const resultMessage = bind<Of<string>>('const char *zus_result_message(void *result)');
export const resultTrackingId = bind<Of<string>>('const char *zus_result_tracking_id(void *result)');
export const resultHeader = bind<(result: Pointer, name: string) => string>('const char *zus_result_header(void *result, const char *name)');
const resultBodyOf = bind<(result: Pointer, length: Out<number>) => Pointer>('void *zus_result_body(void *result, _Out_ size_t *length)');
export const resultRetryAfter = bind<Of<number>>('int64_t zus_result_retry_after(void *result)');
export const resultAttempts = bind<Of<number>>('int32_t zus_result_attempts(void *result)');
export const resultDelivery = bind<Of<number>>('int32_t zus_result_delivery(void *result)');
export const resultUserStatus = bind<Of<number>>('int32_t zus_result_user_status(void *result)');
export const resultIsFatal = bind<Of<number>>('int32_t zus_result_is_fatal(void *result)');

export function resultBody(result: Pointer): string {
  const length: Out<number> = [null];
  const body = resultBodyOf(result, length);
  return length[0] ? koffi.decode.string(body, length[0]) : '';
}
