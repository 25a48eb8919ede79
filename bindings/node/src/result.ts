import { Action, Code, codeOf, Delivery, deliveryOf, Status, statusOf } from './codes';
import * as native from './native';

/** The headers that a result keeps: those of Zoom's documents. */
const KEPT_HEADERS = [
  'content-type',
  'date',
  'location',
  'retry-after',
  'server',
  'www-authenticate',
  'x-ratelimit-category',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-type',
  'x-zm-trackingid',
  'x-zm-zoneid',
];

/** The result of one call. It is frozen, plain data: keep it, send it to a worker, write it as JSON. */
export interface Result {
  /** Whether Zoom did it. */
  readonly ok: boolean;
  readonly code: Code;
  /** The user ID as you gave it. */
  readonly userId: string;
  /** What was to be done; undefined where the user was read. */
  readonly action: Action | undefined;
  /** The user's place in the users of `updateMany` or `statuses`, from 0; otherwise 0. */
  readonly index: number;
  /** 0 when no response came. */
  readonly httpStatus: number;
  /** Zoom's own error code, e.g. 1001; 0 for none. */
  readonly zoomCode: number;
  /** What went wrong in words, with Zoom's own; empty on success. */
  readonly message: string;
  /** Zoom's `x-zm-trackingid`, which its support asks for. */
  readonly trackingId: string;
  /** Seconds from the response on, where Zoom said when to come back; else null. */
  readonly retryAfter: number | null;
  /** Attempts begun, retries included: requests sent, and connections that failed. */
  readonly attempts: number;
  /** Whether a request may have reached Zoom. */
  readonly delivery: Delivery;
  /** The user's status where it was read: by `status`, `statuses`, or to verify an update. */
  readonly userStatus: Status;
  /** Whether every other user would fail the same way: no token, a rejected token, a missing scope, the daily limit, a wrong URL. */
  readonly isFatal: boolean;
  /** The response's headers that Zoom documents, and a few usual ones, by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The response's body. */
  readonly body: string;
}

/** What a call is about. */
export interface Subject {
  userId: string;
  action: Action | undefined;
  index: number;
}

export const NOBODY: Subject = { userId: '', action: undefined, index: 0 };

/** Copies a result out of its handle. */
export function readResult(handle: native.Pointer, subject: Subject): Result {
  const code = codeOf(native.resultCode(handle));
  const httpStatus = native.resultHttpStatus(handle);
  const retryAfter = Number(native.resultRetryAfter(handle));
  return make(code, subject, {
    httpStatus,
    zoomCode: native.resultZoomCode(handle),
    message: native.resultMessage(handle),
    trackingId: native.resultTrackingId(handle),
    retryAfter: retryAfter < 0 ? null : retryAfter,
    attempts: native.resultAttempts(handle),
    delivery: deliveryOf(native.resultDelivery(handle)),
    userStatus: statusOf(native.resultUserStatus(handle)),
    isFatal: native.resultIsFatal(handle) !== 0,
    headers: Object.freeze(httpStatus === 0 ? {} : readHeaders(handle)),
    body: native.resultBody(handle),
  });
}

function readHeaders(handle: native.Pointer): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = native.resultHeader(handle, name);
    if (value !== '') headers[name] = value;
  }
  return headers;
}

/** A result of our own: no call was made. */
export function make(code: Code, subject: Subject, more: Partial<Result> = {}): Result {
  return Object.freeze({
    ok: code === 'ZUS_OK',
    code,
    ...subject,
    httpStatus: 0,
    zoomCode: 0,
    message: '',
    trackingId: '',
    retryAfter: null,
    attempts: 0,
    delivery: 'not_sent' as const,
    userStatus: 'unknown' as const,
    isFatal: false,
    headers: {},
    body: '',
    ...more,
  });
}

/** What Zoom says of a user. Where Zoom says nothing of something, it is "". */
export interface UserStatus {
  /** Whether the user could be read. */
  readonly ok: boolean;
  /** The user ID as you gave it. */
  readonly userId: string;
  readonly status: Status;
  /** Zoom's own ID of the user. */
  readonly id: string;
  readonly email: string;
  readonly displayName: string;
  /** The name of the user's role, which is free text: see `roleId`. */
  readonly role: string;
  /** "0" is the account's owner, "1" an admin, "2" a member; others are roles of the account's own. */
  readonly roleId: string;
  /** Whether it is the account's owner or an admin, whose status Zoom doesn't change. */
  readonly isProtected: boolean;
  /** The license: 1 Basic, 2 Licensed, 4 no Meetings license, 99 none; null where Zoom says nothing. */
  readonly type: number | null;
  readonly dept: string;
  readonly createdAt: string;
  /** In UTC, as Zoom writes it: "2026-01-31T08:15:00Z"; "" for a user who never signed in. */
  readonly lastLoginTime: string;
  /** All that Zoom said. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The call's result, which says why a user could not be read. */
  readonly result: Result;
}

export function userStatusOf(result: Result): UserStatus {
  const data = result.ok ? parse(result.body) : {};
  const text = (name: string): string => {
    const value = data[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  return Object.freeze({
    ok: result.ok,
    userId: result.userId,
    status: result.userStatus,
    id: text('id'),
    email: text('email'),
    displayName: text('display_name'),
    role: text('role_name'),
    roleId: text('role_id'),
    isProtected: ['0', '1'].includes(text('role_id')),
    type: typeof data['type'] === 'number' ? data['type'] : null,
    dept: text('dept'),
    createdAt: text('created_at'),
    lastLoginTime: text('last_login_time'),
    data,
    result,
  });
}

/** An object of JSON; empty for anything else. */
function parse(body: string): Record<string, unknown> {
  try {
    const said: unknown = JSON.parse(body);
    return typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What is known of the credentials after they have given a token. It holds no secret. */
export interface Credentials {
  readonly kind: 'oauth' | 'token' | 'tokenProvider';
  readonly tokenType: string;
  /** Empty for a static token or a token provider: nothing can be learned of these without touching a user. */
  readonly scopes: readonly string[];
  /** Seconds from now; null where it is not known. */
  readonly expiresIn: number | null;
  /** The API host that Zoom recommends for the account, where it names one. */
  readonly apiUrl: string;
}

export function credentialsOf(kind: Credentials['kind'], result: Result): Credentials {
  const said = parse(result.body);
  const text = (name: string): string => (typeof said[name] === 'string' ? (said[name] as string) : '');
  return Object.freeze({
    kind,
    tokenType: text('token_type'),
    scopes: text('scope').split(/[\s,]+/).filter(Boolean),
    expiresIn: typeof said['expires_in'] === 'number' ? said['expires_in'] : null,
    apiUrl: text('api_url'),
  });
}
