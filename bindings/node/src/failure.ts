// From a failed result to its error.

import type { Code } from './codes';
import { CODES } from './codes';
import * as errors from './errors';
import * as native from './native';
import type { Result, Subject } from './result';
import { make, NOBODY } from './result';

const CLASSES: Partial<Record<Code, typeof errors.ZoomUserStatusError>> = {
  ZUS_ERR_NULL: errors.InvalidArgumentError,
  ZUS_ERR_UTF8: errors.InvalidArgumentError,
  ZUS_ERR_ARGUMENT: errors.InvalidArgumentError,
  ZUS_ERR_CREDENTIALS: errors.CredentialsMissingError,
  ZUS_ERR_FORKED: errors.ForkedError,
  ZUS_ERR_REENTRANT: errors.ReentrantError,
  ZUS_ERR_RESOLVE: errors.ResolveError,
  ZUS_ERR_CONNECT: errors.ConnectError,
  ZUS_ERR_TLS: errors.TLSError,
  ZUS_ERR_TIMEOUT: errors.TimedOutError,
  ZUS_ERR_PROXY: errors.ProxyError,
  ZUS_ERR_IO: errors.ConnectionBrokenError,
  ZUS_ERR_PROTOCOL: errors.ProtocolError,
  ZUS_ERR_TOKEN: errors.TokenError,
  ZUS_ERR_UNAUTHORIZED: errors.UnauthorizedError,
  ZUS_ERR_FORBIDDEN: errors.ForbiddenError,
  ZUS_ERR_USER_NOT_FOUND: errors.UserNotFoundError,
  ZUS_ERR_USER_PROTECTED: errors.UserProtectedError,
  ZUS_ERR_USER_BUSY: errors.UserBusyError,
  ZUS_ERR_USER_LIMIT: errors.UserLimitReachedError,
  ZUS_ERR_RATE_LIMITED: errors.RateLimitedError,
  ZUS_ERR_DAILY_LIMIT: errors.DailyLimitReachedError,
  ZUS_ERR_REJECTED: errors.RejectedError,
  ZUS_ERR_SERVER: errors.ServerError,
  ZUS_ERR_NOT_VERIFIED: errors.NotVerifiedError,
  ZUS_ERR_ENDPOINT: errors.EndpointError,
  ZUS_ERR_CANCELLED: errors.CancelledError,
  ZUS_ERR_QUEUE_FULL: errors.QueueFullError,
  ZUS_ERR_NO_THREAD: errors.NoThreadError,
  ZUS_ERR_PANIC: errors.InternalError,
};

/** The error of a failed result. */
export function errorFor(result: Result, cause?: unknown): errors.ZoomUserStatusError {
  const Class = CLASSES[result.code] ?? errors.ZoomUserStatusError;
  return new Class(result, cause === undefined ? undefined : { cause });
}

/** The error of a call that was never made. */
export function errorOf(code: keyof typeof CODES, message = native.codeText(CODES[code]), subject: Subject = NOBODY): errors.ZoomUserStatusError {
  return errorFor(make(code, subject, { message }));
}
