//! The command line.

use std::path::PathBuf;
use std::time::Duration;

pub const HELP: &str = "\
Stands in for Zoom on loopback: it holds users, issues tokens and responds as Zoom does.

  --port N                 listen on 127.0.0.1:N (default: a free port)
  --tls CERT.pem KEY.pem   HTTPS, with localhost as the host
  --users N                user00001@example.com and on, besides ada, grace, linus, owner, admin, room, events,
                           seatless, basic, pending (invited: an update is accepted and changes nothing), ghost
                           (an update is accepted and never shows), late (it shows a second later), each also as
                           NAME-ANYTHING, and answer-NAME@example.com (see examples/sandbox/answers.rs)
  --apply-after MS         an update shows this long after it was accepted
  --body KIND              any (default), json (a form gets 415), json-400 (a form gets 400/300)
                           or json-bare (a form gets 400 without a body)
  --postman                responses look as in the Postman collection
  --delay MS               every update takes this long
  --qps N                  429 above N updates in any one second
  --daily N                429 after N updates
  --limit-headers on|off   X-RateLimit-* and Retry-After (default: on)
  --token-life SECONDS     of the tokens that /oauth/token gives (default: 3600)
  --scopes \"A B\"           of those tokens (default: \"user:write:admin user:update:status:admin\")
  --fault KIND=SHARE       a share (0 to 1) of the updates fails; KIND is 503, 429, 429-bare,
                           cut, cut-after (done, but the response is lost), delay (a second) or delay-MS;
                           can be given several times
  --seed N                 which updates the faults hit (default: 1)
  --quiet                  no line for each request
  --until-stdin-closes     end when standard input does
  --help                   this text

GET /sandbox/ledger returns all requests and their results as JSON. POST /sandbox/expire-tokens makes all tokens
invalid that were issued before. POST /sandbox/stop, Ctrl-C and SIGTERM end the sandbox.
";

const DEFAULT_SCOPES: &str = "user:write:admin user:update:status:admin";

pub struct Options {
    pub port: u16,
    pub tls: Option<(PathBuf, PathBuf)>,
    pub users: u32,
    pub apply_after: Duration,
    pub body: BodyRule,
    pub postman: bool,
    pub delay: Duration,
    pub qps: Option<usize>,
    pub daily: Option<u64>,
    pub limit_headers: bool,
    pub token_life: u32,
    pub scopes: String,
    pub faults: Vec<(Fault, f64)>,
    pub seed: u64,
    pub quiet: bool,
    pub until_stdin_closes: bool,
}

/// What happens to an update that comes as multipart/form-data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BodyRule {
    Any,
    Json,
    Json400,
    JsonBare,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Unavailable,
    RateLimited,
    RateLimitedBare,
    Cut,
    CutAfter,
    Delay(Duration),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            tls: None,
            users: 0,
            apply_after: Duration::ZERO,
            body: BodyRule::Any,
            postman: false,
            delay: Duration::ZERO,
            qps: None,
            daily: None,
            limit_headers: true,
            token_life: 3600,
            scopes: DEFAULT_SCOPES.to_owned(),
            faults: Vec::new(),
            seed: 1,
            quiet: false,
            until_stdin_closes: false,
        }
    }
}

impl Options {
    /// `None` when only help is wanted; an error is a sentence for people.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self::default();
        let mut arguments = Arguments(arguments, None);
        while let Some(name) = arguments.option()? {
            let name = name.as_str();
            match name {
                "--port" => options.port = arguments.number(name)?,
                "--tls" => {
                    let certificate = arguments.value(name)?.into();
                    options.tls = Some((certificate, arguments.value(name)?.into()));
                }
                "--users" => options.users = arguments.number(name)?,
                "--apply-after" => {
                    options.apply_after = Duration::from_millis(arguments.number(name)?);
                }
                "--body" => options.body = body_rule(&arguments.value(name)?)?,
                "--postman" => options.postman = true,
                "--delay" => options.delay = Duration::from_millis(arguments.number(name)?),
                "--qps" => options.qps = Some(arguments.number(name)?),
                "--daily" => options.daily = Some(arguments.number(name)?),
                "--limit-headers" => {
                    options.limit_headers = match arguments.value(name)?.as_str() {
                        "on" => true,
                        "off" => false,
                        other => {
                            return Err(format!("--limit-headers is on or off, not {other:?}"));
                        }
                    };
                }
                "--token-life" => options.token_life = arguments.number(name)?,
                "--scopes" => options.scopes = arguments.value(name)?,
                "--fault" => options.faults.push(fault(&arguments.value(name)?)?),
                "--seed" => options.seed = arguments.number(name)?,
                "--quiet" => options.quiet = true,
                "--until-stdin-closes" => options.until_stdin_closes = true,
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("there is no option {other:?}")),
            }
            arguments.used(name)?;
        }
        if options.faults.iter().map(|(_, share)| share).sum::<f64>() > 1.0 + 1e-9 {
            return Err("the shares of all --fault add up to more than 1".to_owned());
        }
        Ok(Some(options))
    }
}

/// The words of the command line, and the value of a word like `--name=value`.
struct Arguments<I>(I, Option<String>);

impl<I: Iterator<Item = String>> Arguments<I> {
    fn option(&mut self) -> Result<Option<String>, String> {
        let Some(word) = self.0.next() else {
            return Ok(None);
        };
        if !word.starts_with('-') {
            return Err(format!("{word:?} is not an option"));
        }
        Ok(Some(match word.split_once('=') {
            Some((name, value)) => {
                self.1 = Some(value.to_owned());
                name.to_owned()
            }
            None => word,
        }))
    }

    fn value(&mut self, name: &str) -> Result<String, String> {
        let value = self.1.take().or_else(|| self.0.next());
        value.ok_or_else(|| format!("{name} needs a value"))
    }

    fn number<N: std::str::FromStr>(&mut self, name: &str) -> Result<N, String> {
        let value = self.value(name)?;
        let number = value.parse();
        number.map_err(|_| format!("{name} needs a whole number in its range, not {value:?}"))
    }

    /// Refuses `--quiet=yes`.
    fn used(&mut self, name: &str) -> Result<(), String> {
        match self.1.take() {
            Some(_) => Err(format!("{name} takes no value")),
            None => Ok(()),
        }
    }
}

fn body_rule(value: &str) -> Result<BodyRule, String> {
    Ok(match value {
        "any" => BodyRule::Any,
        "json" => BodyRule::Json,
        "json-400" => BodyRule::Json400,
        "json-bare" => BodyRule::JsonBare,
        other => {
            return Err(format!(
                "--body is any, json, json-400 or json-bare, not {other:?}"
            ));
        }
    })
}

fn fault(value: &str) -> Result<(Fault, f64), String> {
    let (kind, share) = value
        .split_once('=')
        .ok_or_else(|| format!("--fault is KIND=SHARE, not {value:?}"))?;
    let fault = match kind {
        "503" => Fault::Unavailable,
        "429" => Fault::RateLimited,
        "429-bare" => Fault::RateLimitedBare,
        "cut" => Fault::Cut,
        "cut-after" => Fault::CutAfter,
        "delay" => Fault::Delay(Duration::from_secs(1)),
        other => match other.strip_prefix("delay-").map(str::parse) {
            Some(Ok(ms)) => Fault::Delay(Duration::from_millis(ms)),
            _ => return Err(format!("--fault knows no {other:?}")),
        },
    };
    match share.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok((fault, share)),
        _ => Err(format!(
            "the share of --fault {kind} is 0 to 1, not {share:?}"
        )),
    }
}
