// One class for each code that a caller would handle, under a few that group them.

import type { Code } from './codes';
import type { Result } from './result';

/** The base of all. `result` holds everything that is known of the call. */
export class ZoomUserStatusError extends Error {
  /** The code's name, e.g. `ZUS_ERR_USER_NOT_FOUND`. */
  readonly code: Code;

  constructor(
    readonly result: Result,
    options?: { cause?: unknown },
  ) {
    const subject = result.userId === '' ? '' : `${result.userId}: `;
    const tracking = result.trackingId === '' ? '' : `, tracking id ${result.trackingId}`;
    super(`${subject}${result.message} (${result.code}${tracking})`, options);
    this.name = new.target.name;
    this.code = result.code;
  }
}

/** The call itself is wrong; nothing was sent. */
export class UsageError extends ZoomUserStatusError {}
/** A value can't be used: an empty user ID, or one with leading or trailing whitespace; a number out of range. */
export class InvalidArgumentError extends UsageError {}
/** No credentials are configured. */
export class CredentialsMissingError extends UsageError {}
/** The client was made before a fork. */
export class ForkedError extends UsageError {}
/** A callback called back into its own client. */
export class ReentrantError extends UsageError {}

/** Zoom sent no response. `result.delivery` says whether the update may have been applied; to send it again does no harm. */
export class NetworkError extends ZoomUserStatusError {}
/** The host name could not be resolved. */
export class ResolveError extends NetworkError {}
/** No connection could be made. */
export class ConnectError extends NetworkError {}
/** The certificate is not trusted, or TLS failed. */
export class TLSError extends NetworkError {}
/** The time ran out. */
export class TimedOutError extends NetworkError {}
/** The proxy failed, or rejected the connection. */
export class ProxyError extends NetworkError {}
/** The connection broke before a response came. */
export class ConnectionBrokenError extends NetworkError {}
/** The response is not one that Zoom sends: HTML, text, a redirect, too large, cut short. Often a proxy or a captive portal. */
export class ProtocolError extends NetworkError {}

/** Zoom responded, and did not do it. */
export class ZoomError extends ZoomUserStatusError {}
/** No access token could be obtained. Where the token provider threw, that is the `cause`. */
export class TokenError extends ZoomError {}
/** Zoom rejected the access token: expired, revoked or not a token. */
export class UnauthorizedError extends ZoomError {}
/** A scope or a permission is missing; the message names it. */
export class ForbiddenError extends ZoomError {}
/** No such user on this account. */
export class UserNotFoundError extends ZoomError {}
/** A Zoom Room or an admin, whose status can't be changed. */
export class UserProtectedError extends ZoomError {}
/** The user has an upcoming Zoom Events event. */
export class UserBusyError extends ZoomError {}
/** The account has reached its user limit. */
export class UserLimitReachedError extends ZoomError {}
/** Too many requests, and still so after the retries; `result.retryAfter` may say when. */
export class RateLimitedError extends ZoomError {}
/** A rate limit that lasts more than a minute, such as the daily limit; `result.retryAfter` may say when it ends. */
export class DailyLimitReachedError extends RateLimitedError {}
/** Zoom rejected the request for another reason, which the message tells. */
export class RejectedError extends ZoomError {}
/** Zoom failed with a 5xx, and still so after the retries. */
export class ServerError extends ZoomError {}
/** Zoom accepted the update, but the user's status did not become the wanted one in time: see `result.userStatus`. */
export class NotVerifiedError extends ZoomError {}
/** The server doesn't know this endpoint: check the API URL. Nothing is known of the user. */
export class EndpointError extends ZoomError {}

/** The call was cancelled; the `cause` is the signal's reason. `result.delivery` says whether it may have been applied. */
export class CancelledError extends ZoomUserStatusError {
  constructor(result: Result, options?: { cause?: unknown }) {
    super(result, options);
    this.name = 'AbortError'; // as of everything in JavaScript that an AbortSignal ends
  }
}
/** 65,536 started calls have not ended: nothing was started. */
export class QueueFullError extends ZoomUserStatusError {}
/** The system has no thread left: nothing was started. */
export class NoThreadError extends ZoomUserStatusError {}
/** A bug in libzus: please report it. */
export class InternalError extends ZoomUserStatusError {}
