//! zus_code and the library's version.

use crate::code::Code;

/// How a call ended. 1-19 usage errors; 20-39 the network; 40-69 Zoom; 70-79 the batch or a cancel; 99 a bug.
/// Codes are only ever added, never changed: treat one that you don't know as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum zus_code {
    /// Zoom accepted the update; for a batch, every update.
    ZUS_OK = 0,
    /// A required pointer is NULL.
    ZUS_ERR_NULL = 1,
    /// A string is not valid UTF-8.
    ZUS_ERR_UTF8 = 2,
    /// A value is empty, out of range or malformed.
    ZUS_ERR_ARGUMENT = 3,
    /// No credentials are configured.
    ZUS_ERR_CREDENTIALS = 4,
    /// The client was made before fork(): make a new one in the child process.
    ZUS_ERR_FORKED = 5,
    /// A callback called its own client.
    ZUS_ERR_REENTRANT = 6,
    /// The host name could not be resolved.
    ZUS_ERR_RESOLVE = 20,
    /// No connection could be made.
    ZUS_ERR_CONNECT = 21,
    /// The TLS handshake failed, or the certificate is not trusted.
    ZUS_ERR_TLS = 22,
    /// The time for the call, or for one connection, ran out.
    ZUS_ERR_TIMEOUT = 23,
    /// The proxy failed, or rejected the connection.
    ZUS_ERR_PROXY = 24,
    /// The connection broke before a response came.
    ZUS_ERR_IO = 25,
    /// The response is not one that Zoom sends: an HTML page, a text, a redirect, too large, cut short, not HTTP.
    ZUS_ERR_PROTOCOL = 26,
    /// No access token could be obtained: the credentials are wrong, or the token provider gave no token.
    ZUS_ERR_TOKEN = 40,
    /// Zoom rejected the access token, and the refreshed one where it can be refreshed.
    ZUS_ERR_UNAUTHORIZED = 41,
    /// A scope or a permission is missing. Scopes for this call: user:write:admin, or user:update:status:admin.
    ZUS_ERR_FORBIDDEN = 42,
    /// The user does not exist or is not on this account.
    ZUS_ERR_USER_NOT_FOUND = 43,
    /// A Zoom Room or an admin, whose status cannot be changed.
    ZUS_ERR_USER_PROTECTED = 44,
    /// The user has an upcoming Zoom Events event.
    ZUS_ERR_USER_BUSY = 45,
    /// The account has reached its user limit: the user cannot be activated.
    ZUS_ERR_USER_LIMIT = 46,
    /// Zoom's rate limit was reached, also after the retries.
    ZUS_ERR_RATE_LIMITED = 47,
    /// A rate limit that lasts more than a minute was reached, such as the daily limit: see zus_result_retry_after.
    ZUS_ERR_DAILY_LIMIT = 48,
    /// Zoom rejected the request for another reason, which the message tells.
    ZUS_ERR_REJECTED = 49,
    /// HTTP 408 or 5xx, also after the retries. The update may have been applied.
    ZUS_ERR_SERVER = 50,
    /// Zoom accepted the update, but the user's status did not become the wanted one in time, or could not be read: see
    /// zus_result_user_status. Only with zus_config_set_verify.
    ZUS_ERR_NOT_VERIFIED = 51,
    /// The server does not know this endpoint: check the API URL. Nothing is known of the user.
    ZUS_ERR_ENDPOINT = 52,
    /// zus_cancel_trigger, or a zus_result_fn that stopped its batch.
    ZUS_ERR_CANCELLED = 70,
    /// The batch is complete and some users failed.
    ZUS_ERR_PARTIAL = 71,
    /// 65,536 started calls were not taken from the queue: nothing was started.
    ZUS_ERR_QUEUE_FULL = 72,
    /// The system has no thread left for a started call: nothing was started.
    ZUS_ERR_NO_THREAD = 73,
    /// A bug in this library; please report it.
    ZUS_ERR_PANIC = 99,
}

impl From<Code> for zus_code {
    fn from(code: Code) -> zus_code {
        match code {
            Code::Ok => zus_code::ZUS_OK,
            Code::Null => zus_code::ZUS_ERR_NULL,
            Code::Utf8 => zus_code::ZUS_ERR_UTF8,
            Code::Argument => zus_code::ZUS_ERR_ARGUMENT,
            Code::Credentials => zus_code::ZUS_ERR_CREDENTIALS,
            Code::Forked => zus_code::ZUS_ERR_FORKED,
            Code::Reentrant => zus_code::ZUS_ERR_REENTRANT,
            Code::Resolve => zus_code::ZUS_ERR_RESOLVE,
            Code::Connect => zus_code::ZUS_ERR_CONNECT,
            Code::Tls => zus_code::ZUS_ERR_TLS,
            Code::Timeout => zus_code::ZUS_ERR_TIMEOUT,
            Code::Proxy => zus_code::ZUS_ERR_PROXY,
            Code::Io => zus_code::ZUS_ERR_IO,
            Code::Protocol => zus_code::ZUS_ERR_PROTOCOL,
            Code::Token => zus_code::ZUS_ERR_TOKEN,
            Code::Unauthorized => zus_code::ZUS_ERR_UNAUTHORIZED,
            Code::Forbidden => zus_code::ZUS_ERR_FORBIDDEN,
            Code::UserNotFound => zus_code::ZUS_ERR_USER_NOT_FOUND,
            Code::UserProtected => zus_code::ZUS_ERR_USER_PROTECTED,
            Code::UserBusy => zus_code::ZUS_ERR_USER_BUSY,
            Code::UserLimit => zus_code::ZUS_ERR_USER_LIMIT,
            Code::RateLimited => zus_code::ZUS_ERR_RATE_LIMITED,
            Code::DailyLimit => zus_code::ZUS_ERR_DAILY_LIMIT,
            Code::Rejected => zus_code::ZUS_ERR_REJECTED,
            Code::Server => zus_code::ZUS_ERR_SERVER,
            Code::NotVerified => zus_code::ZUS_ERR_NOT_VERIFIED,
            Code::Endpoint => zus_code::ZUS_ERR_ENDPOINT,
            Code::Cancelled => zus_code::ZUS_ERR_CANCELLED,
            Code::Partial => zus_code::ZUS_ERR_PARTIAL,
            Code::QueueFull => zus_code::ZUS_ERR_QUEUE_FULL,
            Code::NoThread => zus_code::ZUS_ERR_NO_THREAD,
            Code::Panic => zus_code::ZUS_ERR_PANIC,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_agree() {
        for code in Code::ALL {
            let c = zus_code::from(code);
            assert_eq!(c as i32, code.number());
            assert_eq!(format!("{c:?}"), code.name());
        }
    }
}
