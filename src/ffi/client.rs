//! zus_client: the calls.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::cancel::zus_cancel;
use super::code::zus_code;
use super::config::zus_config;
use super::guard::{Userdata, borrow, free, give, guard, text};
use super::result::zus_result;
use crate::batch;
use crate::cancel::Cancel;
use crate::client::Client;
use crate::code::{Code, Error};
use crate::outcome::Outcome;
use crate::request::{Action, Operation};
use crate::start::Starter;

/// Makes calls. It never changes: share it between threads.
pub struct zus_client {
    pub(super) starter: Starter,
}

/// What to do with the user. An alias, not an enum: a number that this version does not know is ZUS_ERR_ARGUMENT.
pub type zus_action = i32;
/// Allows a deactivated user to sign in again. Zoom does not say that the licenses come back.
pub const ZUS_ACTIVATE: zus_action = 1;
/// Blocks the sign-in and removes all licenses.
pub const ZUS_DEACTIVATE: zus_action = 2;
/// Clocks the user in.
pub const ZUS_CLOCK_IN: zus_action = 3;
/// Clocks the user out.
pub const ZUS_CLOCK_OUT: zus_action = 4;

/// Receives the result of each user of a batch, on the thread that called zus_update_status_many, before that returns.
/// `index` is the user's place in user_ids; `result` is borrowed until the function returns. Return 0 to go on; anything
/// else stops the batch.
pub type zus_result_fn = Option<
    unsafe extern "C-unwind" fn(
        userdata: *mut c_void,
        index: usize,
        result: *const zus_result,
    ) -> i32,
>;

/// Makes a client from a copy of the configuration. It sends nothing. ZUS_ERR_CREDENTIALS when no credentials are set,
/// ZUS_ERR_ARGUMENT when the environment names a malformed proxy: zus_config_message says more. On failure *client is NULL.
/// Free it with zus_client_free.
///
/// # Safety
/// `config` is a live handle; `client` points to a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_client_new(
    config: *const zus_config,
    client: *mut *mut zus_client,
) -> zus_code {
    guard(|| {
        if client.is_null() {
            return Err(Code::Null);
        }
        // SAFETY: not NULL, and a place for a pointer by the caller's promise.
        unsafe { client.write(std::ptr::null_mut()) };
        // SAFETY: the caller's promise.
        let config = unsafe { borrow(config) }?;
        let made = Arc::new(config.keep(Client::new(&config.config))?);
        let made = give(zus_client {
            starter: made.start(),
        });
        // SAFETY: as above.
        unsafe { client.write(made) };
        Ok(())
    })
}

/// Frees a client: closes its connections and wipes its secrets. No blocking call may be running on it. Started calls are
/// cancelled, not waited for, and their events still come. NULL is fine, and so is a client that was made before fork().
///
/// # Safety
/// `client` came from zus_client_new and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_client_free(client: *mut zus_client) {
    // SAFETY: the caller's promise.
    unsafe { free(client) }
}

/// Updates one user and waits for the response: PUT {api}/users/{user_id}/status. `user_id` is a user ID, an email address,
/// or "me" for user-level apps, of up to 1,024 bytes; leading or trailing whitespace, "." and ".." are ZUS_ERR_ARGUMENT.
/// Returns the same code as zus_result_code. `cancel` and `result` may be NULL. *result is NULL only for ZUS_ERR_NULL,
/// ZUS_ERR_UTF8 and ZUS_ERR_PANIC; otherwise free it with zus_result_free. Thread-safe.
///
/// # Safety
/// The handles are live; `user_id` is a NUL-ended string; `result` is NULL or points to a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_update_status(
    client: *const zus_client,
    user_id: *const c_char,
    action: zus_action,
    cancel: *const zus_cancel,
    result: *mut *mut zus_result,
) -> zus_code {
    let f = |client: &Client, cancel: Option<&Cancel>| {
        // SAFETY: the caller's promise.
        let user_id = unsafe { text("user ID", user_id) }?;
        Ok(match Action::from_number(action) {
            Some(action) => client.update_status(user_id, action, cancel),
            None => Outcome {
                user_id: user_id.to_owned(),
                ..Outcome::from(Error::argument(format!("there is no action {action}")))
            },
        })
    };
    // SAFETY: the caller's promise.
    unsafe { call(client, cancel, result, f) }
}

/// Reads one user and waits for the response: GET {api}/users/{user_id}. zus_result_user_status says whether the user is
/// active, inactive or pending; the body holds what else Zoom says of the user, as JSON (id, email, role_name, type,
/// dept, last_login_time). Needs the scope user:read:user:admin, or user:write:admin or user:read:admin; without it,
/// ZUS_ERR_FORBIDDEN. Otherwise like zus_update_status.
///
/// # Safety
/// The handles are live; `user_id` is a NUL-ended string; `result` is NULL or points to a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_get_user_status(
    client: *const zus_client,
    user_id: *const c_char,
    cancel: *const zus_cancel,
    result: *mut *mut zus_result,
) -> zus_code {
    let f = |client: &Client, cancel: Option<&Cancel>| {
        // SAFETY: the caller's promise.
        let user_id = unsafe { text("user ID", user_id) }?;
        Ok(client.get_user_status(user_id, cancel))
    };
    // SAFETY: the caller's promise.
    unsafe { call(client, cancel, result, f) }
}

/// Obtains an access token and touches no user: this shows whether the credentials are right. The body of the result is what
/// Zoom said of the token (scope, expires_in, api_url) as JSON, without the token itself. It is empty for
/// zus_config_set_token and zus_config_set_token_provider: nothing is known of such a token until a request carries it.
/// Otherwise like zus_update_status.
///
/// # Safety
/// The handles are live; `result` is NULL or points to a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_check_credentials(
    client: *const zus_client,
    cancel: *const zus_cancel,
    result: *mut *mut zus_result,
) -> zus_code {
    let f = |client: &Client, cancel: Option<&Cancel>| Ok(client.check_credentials(cancel));
    // SAFETY: the caller's promise.
    unsafe { call(client, cancel, result, f) }
}

/// Updates many users within the rate limit, several at once. on_result runs once for each user as that user's update ends,
/// in any order. Every entry of user_ids is sent once, duplicates too. An entry that can't be sent (NULL, not UTF-8, leading
/// or trailing whitespace) has a result with its own code, and the others go on. A user for whom on_result did not run was
/// never sent, so a later batch can go on from there; on_result still runs for users who are in flight when the batch stops.
/// Returns ZUS_OK when every update succeeded; ZUS_ERR_CANCELLED after a stop or a cancel; the code that is fatal for the
/// batch, when every remaining user would fail the same way (no token, a rejected token, a missing scope, the daily limit, a
/// wrong URL); otherwise ZUS_ERR_PARTIAL. `cancel` may be NULL.
/// The threads of a batch are made inside the call and end before it returns; on_result runs on the calling thread.
/// Thread-safe.
///
/// # Safety
/// The handles are live; `user_ids` points to `count` pointers, each NULL or a NUL-ended string, all of which live
/// until the return; `on_result` may be called with `userdata`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_update_status_many(
    client: *const zus_client,
    user_ids: *const *const c_char,
    count: usize,
    action: zus_action,
    cancel: *const zus_cancel,
    on_result: zus_result_fn,
    userdata: *mut c_void,
) -> zus_code {
    let operation = || {
        let action = Action::from_number(action).ok_or(Code::Argument)?;
        Ok(Operation::Update(action))
    };
    // SAFETY: the caller's promise.
    unsafe {
        many(
            client, user_ids, count, operation, cancel, on_result, userdata,
        )
    }
}

/// Reads many users. Otherwise like zus_update_status_many, with results like those of zus_get_user_status.
///
/// # Safety
/// As for zus_update_status_many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zus_get_user_status_many(
    client: *const zus_client,
    user_ids: *const *const c_char,
    count: usize,
    cancel: *const zus_cancel,
    on_result: zus_result_fn,
    userdata: *mut c_void,
) -> zus_code {
    let operation = || Ok(Operation::Read);
    // SAFETY: the caller's promise.
    unsafe {
        many(
            client, user_ids, count, operation, cancel, on_result, userdata,
        )
    }
}

/// The caller's strings are read from several threads.
struct UserIds(*const *const c_char);

// SAFETY: nobody writes to them until the call returns.
unsafe impl Sync for UserIds {}

impl UserIds {
    /// # Safety
    /// There is an entry of that index.
    unsafe fn get<'a>(&self, index: usize) -> Result<&'a str, Error> {
        // SAFETY: the caller's promise.
        let entry = unsafe { *self.0.add(index) };
        // SAFETY: the caller's promise.
        unsafe { text(&format!("user ID at index {index}"), entry) }
    }
}

/// Runs a batch.
///
/// # Safety
/// As for zus_update_status_many.
unsafe fn many(
    client: *const zus_client,
    user_ids: *const *const c_char,
    count: usize,
    operation: impl FnOnce() -> Result<Operation, Code>,
    cancel: *const zus_cancel,
    on_result: zus_result_fn,
    userdata: *mut c_void,
) -> zus_code {
    let userdata = Userdata(userdata);
    guard(|| {
        // SAFETY: the caller's promise.
        let client = unsafe { borrow(client) }?;
        // SAFETY: the caller's promise.
        let cancel = unsafe { cancel.as_ref() };
        if user_ids.is_null() && count > 0 {
            return Err(Code::Null);
        }
        let on_result = on_result.ok_or(Code::Null)?;
        let user_ids = UserIds(user_ids);
        let code = batch::run(
            client.starter.client(),
            operation()?,
            count,
            // SAFETY: indexes are below count.
            |index| unsafe { user_ids.get(index) },
            cancel.map(|c| &c.cancel),
            |index, outcome| {
                let result = zus_result::new(outcome);
                // SAFETY: the result lives until it returns; function and userdata are the caller's promise.
                unsafe { on_result(userdata.get(), index, &result) == 0 }
            },
        );
        if code == Code::Ok { Ok(()) } else { Err(code) }
    })
}

/// Runs one call and hands its outcome over.
///
/// # Safety
/// The handles are NULL or live; `result` is NULL or points to a place for a pointer.
unsafe fn call(
    client: *const zus_client,
    cancel: *const zus_cancel,
    result: *mut *mut zus_result,
    f: impl FnOnce(&Client, Option<&Cancel>) -> Result<Outcome, Code>,
) -> zus_code {
    guard(|| {
        let put = |handle: *mut zus_result| {
            if !result.is_null() {
                // SAFETY: not NULL, and a place for a pointer by the caller's promise.
                unsafe { result.write(handle) };
            }
        };
        put(std::ptr::null_mut()); // for a panic
        // SAFETY: the caller's promise.
        let client = unsafe { borrow(client) }?;
        // SAFETY: the caller's promise.
        let cancel = unsafe { cancel.as_ref() };
        let outcome = f(client.starter.client(), cancel.map(|c| &c.cancel))?;
        let code = outcome.code();
        if !result.is_null() {
            put(give(zus_result::new(outcome)));
        }
        if code == Code::Ok { Ok(()) } else { Err(code) }
    })
}
