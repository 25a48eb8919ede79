//! What tokens are obtained with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::HeaderValue;
use zeroize::Zeroizing;

use crate::check::check_text;
use crate::code::Error;
use crate::limits::{Interruption, Limits};
use crate::retry::RetryPolicy;
use crate::url::Url;

/// Gives a token; told whether the last one was rejected.
pub(crate) type Provider = Arc<dyn Fn(bool, &Limits) -> Provided + Send + Sync>;

/// Perhaps a token. A provider that waits ends with the call.
pub(crate) type Provided = Result<Option<Zeroizing<Vec<u8>>>, Interruption>;

/// What tokens are obtained with.
pub(crate) struct Settings {
    pub credentials: Option<Credentials>,
    /// The token endpoint.
    pub url: Url,
    pub user_agent: HeaderValue,
    pub retry: RetryPolicy,
    /// For one token request.
    pub attempt_timeout: Duration,
}

#[derive(Clone)]
pub(crate) enum Credentials {
    Token(HeaderValue),
    OAuth(OAuth),
    Provider(Provider),
}

#[derive(Clone)]
pub(crate) struct OAuth {
    pub account_id: String,
    pub client_id: String,
    pub client_secret: Arc<Zeroizing<String>>,
}

impl OAuth {
    pub fn new(account_id: &str, client_id: &str, client_secret: &str) -> Result<OAuth, Error> {
        check_text("account ID", account_id, 1024)?;
        check_text("client ID", client_id, 1024)?;
        check_text("client secret", client_secret, 1024)?;
        if client_id.contains(':') {
            // HTTP Basic could not tell where it ends.
            return Err(Error::argument("the client ID has a colon"));
        }
        Ok(OAuth {
            account_id: account_id.into(),
            client_id: client_id.into(),
            client_secret: Arc::new(Zeroizing::new(client_secret.into())),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::Token(_) => "Token(..)",
            Credentials::OAuth(_) => "OAuth(..)",
            Credentials::Provider(_) => "Provider(..)",
        })
    }
}
