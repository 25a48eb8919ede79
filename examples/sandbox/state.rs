//! What the sandbox knows and remembers: users, tokens, limits, faults, and the ledger.

use crate::answers::{self, Answer};
use crate::options::{Fault, Options};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

pub const FIXED_TOKEN: &str = "sandbox-token";
pub const ACCOUNT_ID: &str = "sandbox-account";
pub const CLIENT_ID: &str = "sandbox-client";
pub const CLIENT_SECRET: &str = "sandbox-secret";

/// Any of these lets a token change a user's status.
const SCOPES: [&str; 4] = [
    "user:write:admin",
    "user:write",
    "user:update:status:admin",
    "user:update:status",
];

/// Any of these lets a token read a user. A token called `no-read` has none of them, but may update.
const READ_SCOPES: [&str; 6] = [
    "user:read:user:admin",
    "user:read:user",
    "user:read:admin",
    "user:read",
    "user:write:admin",
    "user:write",
];

/// A `late` user shows an update after this time.
const LATE: Duration = Duration::from_secs(1);

/// What the headers say when no limit is set: Zoom's for a Business account.
const USUAL_LIMIT: usize = 80;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Activate,
    Deactivate,
    ClockIn,
    ClockOut,
}

impl Action {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "activate" => Self::Activate,
            "deactivate" => Self::Deactivate,
            "clock_in" => Self::ClockIn,
            "clock_out" => Self::ClockOut,
            _ => return None,
        })
    }
}

pub struct State {
    users: BTreeMap<String, Received>,
    /// Given by /oauth/token, with the time each ends.
    tokens: HashMap<String, Instant>,
    /// When the updates of the last second were let through.
    last_second: VecDeque<Instant>,
    today: u64,
    faults: Dice,
    ids: Dice,
    ledger: Ledger,
}

/// A user that some request named.
#[derive(Default)]
struct Received {
    /// `None` for one that does not exist.
    active: Option<bool>,
    /// What reads show until this time, after an update.
    shown: Option<(bool, Instant)>,
    received: u64,
    reads: u64,
    applied: u64,
}

#[derive(Default)]
pub struct Ledger {
    pub connections: u64,
    pub requests: u64,
    pub reads: u64,
    pub token_requests: u64,
    pub forms: u64,
    pub jsons: u64,
    pub rate_refused: u64,
    pub in_flight: u64,
    pub most_in_flight: u64,
    pub responses: BTreeMap<String, u64>,
}

/// A user that exists, by what it lets be done to it.
enum Person {
    Member,
    /// Not an admin, but one whose status can't be changed either.
    Room,
    Admin,
    Owner,
    /// Invited, and has not accepted.
    Pending,
    /// Its updates are accepted and never show.
    Ghost,
    /// Its updates show later.
    Late,
    HasEvent,
    Seatless,
    Basic,
}

/// Who `id` is, and whether active at first. `NAME-ANYTHING` is like NAME.
fn person(id: &str, members: u32) -> Option<(Person, bool)> {
    let name = id.strip_suffix("@example.com")?;
    let kind = name.split_once('-').map_or(name, |(kind, _)| kind);
    Some(match kind {
        "ada" | "linus" => (Person::Member, true),
        "grace" => (Person::Member, false),
        "owner" => (Person::Owner, true),
        "admin" => (Person::Admin, true),
        "room" => (Person::Room, true),
        "events" => (Person::HasEvent, true),
        "seatless" => (Person::Seatless, false),
        "basic" => (Person::Basic, false),
        "pending" => (Person::Pending, true),
        "ghost" => (Person::Ghost, true),
        "late" => (Person::Late, true),
        _ => {
            let number: u32 = name.strip_prefix("user")?.parse().ok()?;
            let exists = (1..=members).contains(&number) && name == format!("user{number:05}");
            exists.then_some((Person::Member, true))?
        }
    })
}

/// `NAME` of `answer-NAME@example.com` or `answer-NAME+ANYTHING@example.com`.
pub fn canned_name(id: &str) -> Option<&str> {
    let name = id.strip_suffix("@example.com").unwrap_or(id);
    let name = name.strip_prefix("answer-")?;
    Some(name.split_once('+').map_or(name, |(name, _)| name))
}

impl State {
    pub fn new(seed: u64) -> Self {
        Self {
            users: BTreeMap::new(),
            tokens: HashMap::new(),
            last_second: VecDeque::new(),
            today: 0,
            faults: Dice(seed),
            ids: Dice(RandomState::new().hash_one(0)),
            ledger: Ledger::default(),
        }
    }

    pub fn count(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Notes that `id` was to be updated, and returns how often before.
    pub fn receive(&mut self, id: &str, options: &Options) -> u64 {
        let user = self.user(id, options);
        user.received += 1;
        user.received - 1
    }

    /// Notes that `id` was read, and returns how often before.
    pub fn receive_read(&mut self, id: &str, options: &Options) -> u64 {
        self.ledger.reads += 1;
        let user = self.user(id, options);
        user.reads += 1;
        user.reads - 1
    }

    fn user(&mut self, id: &str, options: &Options) -> &mut Received {
        self.users.entry(id.to_owned()).or_insert_with(|| Received {
            active: match person(id, options.users) {
                Some((_, active)) => Some(active),
                None => canned_name(id)
                    .and_then(|name| answers::canned(name, 0))
                    .map(|_| true),
            },
            ..Received::default()
        })
    }

    /// What a read of `id` gets, by the fields of Zoom's GET /users/{userId} that are of interest.
    pub fn read(&self, id: &str, now: Instant, options: &Options) -> Answer {
        let Some(user) = self.users.get(id).filter(|u| u.active.is_some()) else {
            return answers::no_such_user(id);
        };
        let person = person(id, options.users).map_or(Person::Member, |(person, _)| person);
        let active = match user.shown {
            Some((shown, until)) if now < until => shown,
            _ => user.active == Some(true),
        };
        let status = match (&person, active) {
            (Person::Pending, _) => "pending",
            (_, true) => "active",
            (_, false) => "inactive",
        };
        let (role_id, role) = match person {
            Person::Owner => ("0", "Owner"),
            Person::Admin => ("1", "Admin"),
            _ => ("2", "Member"),
        };
        answers::user(id, status, role_id, role)
    }

    /// How Zoom responds to `action` for `id`.
    pub fn decide(&self, id: &str, action: Action, options: &Options) -> Answer {
        use Action::{Activate, Deactivate};
        let Some((person, _)) = person(id, options.users) else {
            return answers::no_such_user(id);
        };
        match (person, action) {
            (Person::Room | Person::Admin | Person::Owner, _) => answers::protected_user(),
            (Person::HasEvent, Deactivate) => answers::upcoming_event(),
            (Person::Seatless, Activate) => answers::seats_taken(),
            (Person::Basic, Activate) => answers::basic_limit(),
            _ => Answer::done(),
        }
    }

    pub fn apply(&mut self, id: &str, action: Action, now: Instant, options: &Options) {
        let person = person(id, options.users).map(|(person, _)| person);
        let Some(user) = self.users.get_mut(id) else {
            return;
        };
        user.applied += 1;
        let active = match action {
            Action::Activate => true,
            Action::Deactivate => false,
            Action::ClockIn | Action::ClockOut => return,
        };
        let delay = match person {
            Some(Person::Pending | Person::Ghost) => return,
            Some(Person::Late) => options.apply_after.max(LATE),
            _ => options.apply_after,
        };
        user.shown = Some((user.active == Some(true), now + delay));
        user.active = Some(active);
    }

    pub fn fault(&mut self, options: &Options) -> Option<Fault> {
        if options.faults.is_empty() {
            return None;
        }
        let mut drawn = self.faults.share();
        let hit = options.faults.iter().find(|(_, share)| {
            drawn -= share;
            drawn < 0.0
        });
        hit.map(|(fault, _)| *fault)
    }

    /// A refusal, when the bearer token is not good for an update, or for a read.
    pub fn authorize(&self, token: Option<&str>, reads: bool, options: &Options) -> Option<Answer> {
        let (scopes, missing): (&[&str], fn(u16) -> Answer) = match reads {
            true => (&READ_SCOPES, answers::missing_read_scope),
            false => (&SCOPES, answers::missing_scope),
        };
        match token {
            Some(FIXED_TOKEN) => None,
            Some("expired") => Some(Answer::error(401, 124, "Access token is expired.")),
            Some("no-scope") => Some(missing(401)),
            Some("no-read") => reads.then(|| missing(400)),
            Some(token) => match self.tokens.get(token) {
                Some(end) if *end <= Instant::now() => {
                    Some(Answer::error(401, 124, "Access token is expired."))
                }
                Some(_) if !has_any(&options.scopes, scopes) => Some(missing(400)),
                Some(_) => None,
                None => Some(answers::unauthorized()),
            },
            None => Some(answers::unauthorized()),
        }
    }

    pub fn new_token(&mut self, options: &Options) -> String {
        let token = format!("sandbox-oauth-{}", self.hex());
        let end = Instant::now() + Duration::from_secs(options.token_life.into());
        self.tokens.insert(token.clone(), end);
        token
    }

    pub fn expire_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Lets an update through, or refuses it. Refused ones don't count against the limit.
    pub fn limit(&mut self, now: Instant, options: &Options) -> Option<Answer> {
        while let Some(first) = self.last_second.front()
            && now.duration_since(*first) >= Duration::from_secs(1)
        {
            self.last_second.pop_front();
        }
        if let Some(limit) = options.daily
            && self.today >= limit
        {
            return Some(answers::too_many_a_day(
                options.limit_headers.then_some(limit),
            ));
        }
        if let Some(limit) = options.qps
            && self.last_second.len() >= limit
        {
            return Some(answers::too_many_a_second(
                options.limit_headers.then_some(limit),
            ));
        }
        self.last_second.push_back(now);
        self.today += 1;
        None
    }

    pub fn limit_headers(&self, options: &Options) -> [(&'static str, String); 4] {
        let limit = shown_limit(options);
        let remaining = limit.saturating_sub(self.last_second.len());
        [
            ("x-ratelimit-category", "Light".to_owned()),
            ("x-ratelimit-type", "QPS".to_owned()),
            ("x-ratelimit-limit", limit.to_string()),
            ("x-ratelimit-remaining", remaining.to_string()),
        ]
    }

    pub fn tracking_id(&mut self) -> String {
        format!("v=2.0;clid=us02;rid=WEB_{}", self.hex())
    }

    fn hex(&mut self) -> String {
        format!("{:016x}{:016x}", self.ids.next(), self.ids.next())
    }

    pub fn ledger(&self) -> Value {
        let users: BTreeMap<_, _> = self
            .users
            .iter()
            .map(|(id, user)| {
                let status = user
                    .active
                    .map(|active| if active { "active" } else { "inactive" });
                let user = json!({
                    "status": status, "received": user.received, "reads": user.reads,
                    "applied": user.applied,
                });
                (id, user)
            })
            .collect();
        json!({
            "connections": self.ledger.connections,
            "requests": self.ledger.requests,
            "reads": self.ledger.reads,
            "token_requests": self.ledger.token_requests,
            "forms": self.ledger.forms,
            "jsons": self.ledger.jsons,
            "rate_refused": self.ledger.rate_refused,
            "in_flight": self.ledger.in_flight,
            "most_in_flight": self.ledger.most_in_flight,
            "responses": self.ledger.responses,
            "users": users,
        })
    }
}

/// The limit per second that headers tell, also where none is enforced.
pub fn shown_limit(options: &Options) -> usize {
    options.qps.unwrap_or(USUAL_LIMIT)
}

fn has_any(scopes: &str, wanted: &[&str]) -> bool {
    scopes
        .split_whitespace()
        .any(|scope| wanted.contains(&scope))
}

/// SplitMix64: small, and the same everywhere for a seed.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, not including, 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
