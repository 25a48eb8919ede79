// The numbers of the C API, which are only ever added to, and the words that stand for them here.

export const CODES = {
  ZUS_OK: 0,
  ZUS_ERR_NULL: 1,
  ZUS_ERR_UTF8: 2,
  ZUS_ERR_ARGUMENT: 3,
  ZUS_ERR_CREDENTIALS: 4,
  ZUS_ERR_FORKED: 5,
  ZUS_ERR_REENTRANT: 6,
  ZUS_ERR_RESOLVE: 20,
  ZUS_ERR_CONNECT: 21,
  ZUS_ERR_TLS: 22,
  ZUS_ERR_TIMEOUT: 23,
  ZUS_ERR_PROXY: 24,
  ZUS_ERR_IO: 25,
  ZUS_ERR_PROTOCOL: 26,
  ZUS_ERR_TOKEN: 40,
  ZUS_ERR_UNAUTHORIZED: 41,
  ZUS_ERR_FORBIDDEN: 42,
  ZUS_ERR_USER_NOT_FOUND: 43,
  ZUS_ERR_USER_PROTECTED: 44,
  ZUS_ERR_USER_BUSY: 45,
  ZUS_ERR_USER_LIMIT: 46,
  ZUS_ERR_RATE_LIMITED: 47,
  ZUS_ERR_DAILY_LIMIT: 48,
  ZUS_ERR_REJECTED: 49,
  ZUS_ERR_SERVER: 50,
  ZUS_ERR_NOT_VERIFIED: 51,
  ZUS_ERR_ENDPOINT: 52,
  ZUS_ERR_CANCELLED: 70,
  ZUS_ERR_PARTIAL: 71,
  ZUS_ERR_QUEUE_FULL: 72,
  ZUS_ERR_NO_THREAD: 73,
  ZUS_ERR_PANIC: 99,
} as const;

/** How a call ended: `ZUS_OK`, or the name of a failure. `ZUS_ERR_UNKNOWN` is a code of a newer library. */
export type Code = keyof typeof CODES | 'ZUS_ERR_UNKNOWN';

export const ACTIONS = { activate: 1, deactivate: 2, clock_in: 3, clock_out: 4 } as const;

/** What to do with a user. */
export type Action = keyof typeof ACTIONS;

export const ENCODINGS = { form: 0, json: 1 } as const;

/** How the action travels to Zoom. */
export type Encoding = keyof typeof ENCODINGS;

export const LOG_LEVELS = { error: 1, warn: 2, info: 3, debug: 4 } as const;

/** The level of a log line. Each includes those before it: error, warn, info, debug. */
export type LogLevel = keyof typeof LOG_LEVELS;

export const EVENT_RESULT = 1;
export const EVENT_LOG = 2;
export const EVENT_TOKEN = 3;
/** Token requests as events, beside a log level. */
export const EVENTS_TOKEN = 256;

const DELIVERIES = ['not_sent', 'unknown', 'responded'] as const;

/** Whether a request may have reached Zoom: no request was sent; it may have been applied; Zoom sent a response. */
export type Delivery = (typeof DELIVERIES)[number];

const STATUSES = ['unknown', 'active', 'inactive', 'pending'] as const;

/** A user's status, as Zoom says it. `pending`: invited, and has not accepted. `unknown`: it was not read. */
export type Status = (typeof STATUSES)[number];

const NAMES = new Map<number, Code>(Object.entries(CODES).map(([name, number]) => [number, name as Code]));

export function codeOf(number: number): Code {
  return NAMES.get(number) ?? 'ZUS_ERR_UNKNOWN';
}

export function deliveryOf(number: number): Delivery {
  return DELIVERIES[number] ?? 'unknown';
}

export function statusOf(number: number): Status {
  return STATUSES[number] ?? 'unknown';
}

export function logLevelOf(number: number): LogLevel {
  const found = Object.entries(LOG_LEVELS).find(([, level]) => level === number);
  return found ? (found[0] as LogLevel) : 'debug';
}
