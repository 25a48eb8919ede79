//! Which failures are retried, and after how long.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::format_description::well_known::{Iso8601, Rfc2822, Rfc3339};
use time::{OffsetDateTime, PrimitiveDateTime};

/// How often and how patiently a failed attempt is retried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    pub attempts: u32,
    pub first: Duration,
    pub most: Duration,
}

/// A longer Retry-After counts as this long.
const RETRY_AFTER_MOST: i64 = 7 * 24 * 60 * 60;
/// The last day of the calendar, which is how some write "never", is more than a timestamp holds.
const NEVER: [&str; 2] = ["9999-12-31T", "Fri, 31 Dec 9999 "];

/// Whether a response with this status is worth a retry of an idempotent request. A 429 is judged by its kind of limit.
/// Any 5xx may be transient, those of a CDN too (520-524), but 501 and 505 say that the server can't.
pub(crate) fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 500 | 502..=504 | 506..=599)
}

/// The attempts of one request.
pub(crate) struct Retry {
    policy: RetryPolicy,
    failed: u32,
    /// Idle connections that turned out to be closed don't count as attempts; but not without end.
    stale: u32,
}

impl Retry {
    pub fn new(policy: RetryPolicy) -> Retry {
        Retry {
            policy,
            failed: 0,
            stale: 0,
        }
    }

    /// An idle connection turned out to be closed: whether to retry at once.
    pub fn stale(&mut self) -> bool {
        self.stale += 1;
        self.stale <= 2
    }

    /// An attempt failed: how long to wait before the next, or `None` when that was the last.
    pub fn wait(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        self.failed += 1;
        if self.failed >= self.policy.attempts {
            return None;
        }
        let doubled = 1u32.checked_shl(self.failed - 1).unwrap_or(u32::MAX);
        let most = self
            .policy
            .first
            .saturating_mul(doubled)
            .min(self.policy.most);
        // "At once" is no reason to retry without a pause.
        let asked = retry_after.filter(|wait| !wait.is_zero());
        Some(asked.unwrap_or_else(|| most.mul_f64(random())))
    }
}

/// From 0 to 1; full jitter keeps clients that failed together from coming back together.
fn random() -> f64 {
    let n = RandomState::new().hash_one(0u8);
    (n >> 11) as f64 / (1u64 << 53) as f64
}

/// Retry-After in seconds from now: a number of seconds, an HTTP date, or ISO 8601 as Zoom sends it (UTC where it
/// names no offset). A time in the past is 0; more than a week is a week.
pub(crate) fn retry_after(value: &str) -> Option<i64> {
    let value = value.trim();
    let seconds = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        value.parse().unwrap_or(RETRY_AFTER_MOST)
    } else if NEVER.iter().any(|never| value.starts_with(never)) {
        RETRY_AFTER_MOST
    } else {
        let at = OffsetDateTime::parse(value, &Rfc3339)
            .or_else(|_| OffsetDateTime::parse(value, &Rfc2822))
            .or_else(|_| {
                PrimitiveDateTime::parse(value, &Iso8601::DEFAULT)
                    .map(PrimitiveDateTime::assume_utc)
            })
            .ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        // Not a second too early.
        at.unix_timestamp() + i64::from(at.nanosecond() > 0) - i64::try_from(now).ok()?
    };
    Some(seconds.clamp(0, RETRY_AFTER_MOST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn from_now(seconds: i64) -> Timestamp {
        Timestamp::from_second(Timestamp::now().as_second() + seconds).unwrap()
    }

    fn about(value: &str, seconds: i64) {
        let got = retry_after(value).unwrap_or_else(|| panic!("{value:?} is not understood"));
        assert!((got - seconds).abs() <= 2, "{value:?}: {got}");
    }

    #[test]
    fn seconds_http_dates_and_iso_8601_are_understood() {
        about("0", 0);
        about(" 120 ", 120);
        let at = from_now(3600);
        about(&at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(), 3600);
        about(&at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), 3600);
        about(&at.strftime("%Y-%m-%dT%H:%M:%S.123Z").to_string(), 3600);
        about(&at.strftime("%Y-%m-%dT%H:%M:%S").to_string(), 3600);
        about(&at.strftime("%Y-%m-%dT%H:%M:%S.5").to_string(), 3600);
        let there = from_now(3600 + 2 * 3600);
        about(&there.strftime("%Y-%m-%dT%H:%M:%S+02:00").to_string(), 3600);
    }

    #[test]
    fn every_5xx_but_501_and_505_is_transient() {
        let transient: Vec<u16> = (100..=999).filter(|s| is_transient(*s)).collect();
        let mut expected: Vec<u16> = (500..600).filter(|s| ![501, 505].contains(s)).collect();
        expected.insert(0, 408);
        assert_eq!(transient, expected);
    }

    #[test]
    fn absurd_values_are_clamped() {
        assert_eq!(
            retry_after("99999999999999999999999"),
            Some(RETRY_AFTER_MOST)
        );
        for never in ["9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(retry_after(never), Some(RETRY_AFTER_MOST));
        }
        assert_eq!(retry_after("2020-05-31T00:00:00Z"), Some(0));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        for nonsense in [
            "",
            "-5",
            "soon",
            "1e9",
            "2020-13-45T99:00:00Z",
            "12 parsecs",
        ] {
            assert_eq!(retry_after(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let mut retry = Retry::new(RetryPolicy {
            attempts: 40,
            first: Duration::from_millis(100),
            most: Duration::from_millis(1500),
        });
        for n in 0..39u32 {
            let wait = retry.wait(None).expect("not the last");
            assert!(wait <= Duration::from_millis((100u64 << n.min(10)).min(1500)));
        }
        assert_eq!(retry.wait(None), None);
    }

    #[test]
    fn retry_after_zero_is_not_retried_without_a_pause() {
        let wait = |n| {
            let mut retry = Retry::new(RetryPolicy {
                attempts: 2,
                first: Duration::from_secs(1),
                most: Duration::from_secs(1),
            });
            retry.wait(Some(Duration::from_secs(n))).expect("one more")
        };
        assert_eq!(wait(3), Duration::from_secs(3));
        assert!((0..20).map(|_| wait(0)).sum::<Duration>() > Duration::ZERO);
    }
}
