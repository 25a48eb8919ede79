/* zus.h - activate and deactivate Zoom users from any language.
 *
 * Written by cbindgen from src/ffi/: change it there, then `make header`.
 *
 *     zus_config *config = zus_config_new();
 *     zus_client *client = NULL;
 *     zus_code code = zus_config_set_from_env(config);
 *     if (code == ZUS_OK)
 *       code = zus_client_new(config, &client);
 *     if (code != ZUS_OK)
 *       fprintf(stderr, "%s\n", zus_config_message(config));
 *     else
 *       code = zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL);
 *     puts(zus_code_text(code));
 *     zus_client_free(client);
 *     zus_config_free(config);
 *
 * Rules that hold for every function:
 *  - Strings in are UTF-8, end with a NUL, and are copied before the call returns. NULL where a value is needed is
 *    ZUS_ERR_NULL; invalid UTF-8 is ZUS_ERR_UTF8; a control character, or an empty value, is ZUS_ERR_ARGUMENT.
 *    A setter that fails leaves the configuration as it was.
 *  - Strings out are UTF-8, end with a NUL, and are never NULL ("" for none). They are borrowed from a handle and valid
 *    until that handle is freed. You free handles, never strings.
 *  - A handle from zus_X_new or an out-parameter is owned by you: free it once with zus_X_free. Freeing NULL is fine.
 *    A function that fails sets its out-parameter to NULL, except for a zus_result, which describes the failure.
 *  - A `const` handle may be used by many threads at once; any other handle by one thread at a time.
 *  - A zus_result_fn runs on the thread that made the call, before it returns. A zus_token_provider_fn or zus_log_fn runs
 *    on any thread that needs it, a batch's own among them, one call at a time per client; the two may run at the same time.
 *    Their userdata must outlive the client. A callback that calls its own client gets ZUS_ERR_REENTRANT. A callback must
 *    return: a C++ exception or a Rust panic that leaves it aborts the process, and longjmp out of it is not allowed.
 *  - After fork() the child must make a new client: calls on the parent's client return ZUS_ERR_FORKED there.
 */

#ifndef ZUS_H
#define ZUS_H

#include <stddef.h>
#include <stdint.h>

#define ZUS_VERSION_MAJOR 0
#define ZUS_VERSION_MINOR 1
#define ZUS_VERSION_PATCH 0

/* Define ZUS_STATIC where you link the static library on Windows. */
#if defined(_WIN32) && !defined(ZUS_STATIC)
#  define ZUS_API __declspec(dllimport)
#else
#  define ZUS_API
#endif

/**
 * The number of the ABI that this header describes: see zus_abi_version.
 */
#define ZUS_ABI_VERSION 0

/**
 * Token requests, for zus_config_set_events.
 */
#define ZUS_EVENTS_TOKEN 256

/**
 * How a call ended. 1-19 usage errors; 20-39 the network; 40-69 Zoom; 70-79 the batch or a cancel; 99 a bug.
 * Codes are only ever added, never changed: treat one that you don't know as a failure.
 */
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
enum zus_code : int32_t
#else
typedef int32_t zus_code;
enum
#endif
{
  /**
   * Zoom accepted the update; for a batch, every update.
   */
  ZUS_OK = 0,
  /**
   * A required pointer is NULL.
   */
  ZUS_ERR_NULL = 1,
  /**
   * A string is not valid UTF-8.
   */
  ZUS_ERR_UTF8 = 2,
  /**
   * A value is empty, out of range or malformed.
   */
  ZUS_ERR_ARGUMENT = 3,
  /**
   * No credentials are configured.
   */
  ZUS_ERR_CREDENTIALS = 4,
  /**
   * The client was made before fork(): make a new one in the child process.
   */
  ZUS_ERR_FORKED = 5,
  /**
   * A callback called its own client.
   */
  ZUS_ERR_REENTRANT = 6,
  /**
   * The host name could not be resolved.
   */
  ZUS_ERR_RESOLVE = 20,
  /**
   * No connection could be made.
   */
  ZUS_ERR_CONNECT = 21,
  /**
   * The TLS handshake failed, or the certificate is not trusted.
   */
  ZUS_ERR_TLS = 22,
  /**
   * The time for the call, or for one connection, ran out.
   */
  ZUS_ERR_TIMEOUT = 23,
  /**
   * The proxy failed, or rejected the connection.
   */
  ZUS_ERR_PROXY = 24,
  /**
   * The connection broke before a response came.
   */
  ZUS_ERR_IO = 25,
  /**
   * The response is not one that Zoom sends: an HTML page, a text, a redirect, too large, cut short, not HTTP.
   */
  ZUS_ERR_PROTOCOL = 26,
  /**
   * No access token could be obtained: the credentials are wrong, or the token provider gave no token.
   */
  ZUS_ERR_TOKEN = 40,
  /**
   * Zoom rejected the access token, and the refreshed one where it can be refreshed.
   */
  ZUS_ERR_UNAUTHORIZED = 41,
  /**
   * A scope or a permission is missing. Scopes for this call: user:write:admin, or user:update:status:admin.
   */
  ZUS_ERR_FORBIDDEN = 42,
  /**
   * The user does not exist or is not on this account.
   */
  ZUS_ERR_USER_NOT_FOUND = 43,
  /**
   * A Zoom Room or an admin, whose status cannot be changed.
   */
  ZUS_ERR_USER_PROTECTED = 44,
  /**
   * The user has an upcoming Zoom Events event.
   */
  ZUS_ERR_USER_BUSY = 45,
  /**
   * The account has reached its user limit: the user cannot be activated.
   */
  ZUS_ERR_USER_LIMIT = 46,
  /**
   * Zoom's rate limit was reached, also after the retries.
   */
  ZUS_ERR_RATE_LIMITED = 47,
  /**
   * A rate limit that lasts more than a minute was reached, such as the daily limit: see zus_result_retry_after.
   */
  ZUS_ERR_DAILY_LIMIT = 48,
  /**
   * Zoom rejected the request for another reason, which the message tells.
   */
  ZUS_ERR_REJECTED = 49,
  /**
   * HTTP 408 or 5xx, also after the retries. The update may have been applied.
   */
  ZUS_ERR_SERVER = 50,
  /**
   * Zoom accepted the update, but the user's status did not become the wanted one in time, or could not be read: see
   * zus_result_user_status. Only with zus_config_set_verify.
   */
  ZUS_ERR_NOT_VERIFIED = 51,
  /**
   * The server does not know this endpoint: check the API URL. Nothing is known of the user.
   */
  ZUS_ERR_ENDPOINT = 52,
  /**
   * zus_cancel_trigger, or a zus_result_fn that stopped its batch.
   */
  ZUS_ERR_CANCELLED = 70,
  /**
   * The batch is complete and some users failed.
   */
  ZUS_ERR_PARTIAL = 71,
  /**
   * 65,536 started calls were not taken from the queue: nothing was started.
   */
  ZUS_ERR_QUEUE_FULL = 72,
  /**
   * The system has no thread left for a started call: nothing was started.
   */
  ZUS_ERR_NO_THREAD = 73,
  /**
   * A bug in this library; please report it.
   */
  ZUS_ERR_PANIC = 99,
};
#if !defined(__cplusplus) && __STDC_VERSION__ >= 202311L
typedef enum zus_code zus_code;
#endif

/**
 * Cancels the calls that use it. Safe from many threads at once.
 */
typedef struct zus_cancel zus_cancel;

/**
 * Makes calls. It never changes: share it between threads.
 */
typedef struct zus_client zus_client;

/**
 * Settings for clients. Use it from one thread at a time.
 */
typedef struct zus_config zus_config;

/**
 * One event. Use it from one thread at a time.
 */
typedef struct zus_event zus_event;

/**
 * Receives events. Safe from many threads at once.
 */
typedef struct zus_queue zus_queue;

/**
 * The result of a call. It never changes: safe from many threads at once.
 */
typedef struct zus_result zus_result;

/**
 * Provides an access token: writes it (visible ASCII, without the word "Bearer"; a NUL is not needed) into `buffer` and
 * returns its length in bytes. Returns 0 when there is no token. When the token is longer than `capacity`, it writes nothing
 * and returns the length; it is called again with a buffer that holds that much (8,192 bytes at the most).
 * `rejected` is 1 when Zoom rejected the last token: provide another one. The client keeps a token until Zoom rejects it.
 * Called on any thread that needs a token, one call at a time per client. The buffer is borrowed until the function
 * returns, and wiped afterwards.
 */
typedef size_t (*zus_token_provider_fn)(void *userdata, int32_t rejected, char *buffer, size_t capacity);

/**
 * The level of a log line. Each level includes those before it.
 */
typedef int32_t zus_log_level;

/**
 * Receives one log line. `message` is borrowed until the function returns, and never holds a secret, at any level.
 * Called on any thread that works for the client, one call at a time per client.
 */
typedef void (*zus_log_fn)(void *userdata, zus_log_level level, const char *message);

/**
 * What to do with the user. An alias, not an enum: a number that this version does not know is ZUS_ERR_ARGUMENT.
 */
typedef int32_t zus_action;

/**
 * Receives the result of each user of a batch, on the thread that called zus_update_status_many, before that returns.
 * `index` is the user's place in user_ids; `result` is borrowed until the function returns. Return 0 to go on; anything
 * else stops the batch.
 */
typedef int32_t (*zus_result_fn)(void *userdata, size_t index, const zus_result *result);

/**
 * The encoding of the request body: ZUS_ENCODING_FORM or ZUS_ENCODING_JSON.
 */
typedef int32_t zus_encoding;

/**
 * What an event is.
 */
typedef int32_t zus_event_type;

/**
 * Whether the request may have reached Zoom: see zus_result_delivery.
 */
typedef int32_t zus_delivery;

/**
 * A user's status, as Zoom says it: see zus_result_user_status.
 */
typedef int32_t zus_user_status;

/**
 * The update of a user failed.
 */
#define ZUS_LOG_ERROR 1

/**
 * An attempt failed, and a retry follows.
 */
#define ZUS_LOG_WARN 2

/**
 * A response came.
 */
#define ZUS_LOG_INFO 3

/**
 * A request was sent.
 */
#define ZUS_LOG_DEBUG 4

/**
 * Allows a deactivated user to sign in again. Zoom does not say that the licenses come back.
 */
#define ZUS_ACTIVATE 1

/**
 * Blocks the sign-in and removes all licenses.
 */
#define ZUS_DEACTIVATE 2

/**
 * Clocks the user in.
 */
#define ZUS_CLOCK_IN 3

/**
 * Clocks the user out.
 */
#define ZUS_CLOCK_OUT 4

/**
 * multipart/form-data; JSON from then on where the server does not understand the form. The default.
 */
#define ZUS_ENCODING_FORM 0

/**
 * application/json.
 */
#define ZUS_ENCODING_JSON 1

/**
 * A started call has ended: zus_event_userdata, zus_event_result.
 */
#define ZUS_EVENT_RESULT 1

/**
 * A log line: zus_event_log_level, zus_event_message.
 */
#define ZUS_EVENT_LOG 2

/**
 * The client needs an access token: zus_event_token_rejected, zus_event_set_token.
 */
#define ZUS_EVENT_TOKEN 3

/**
 * No request was sent: nothing was applied.
 */
#define ZUS_DELIVERY_NOT_SENT 0

/**
 * A request may have reached Zoom, and may have been applied: the connection broke, the time ran out, or the server
 * failed (a 5xx, too).
 */
#define ZUS_DELIVERY_UNKNOWN 1

/**
 * Zoom sent a response, and the code says what it means.
 */
#define ZUS_DELIVERY_RESPONDED 2

/**
 * Not read, or a status that this version does not know.
 */
#define ZUS_STATUS_UNKNOWN 0

/**
 * The user can sign in.
 */
#define ZUS_STATUS_ACTIVE 1

/**
 * The user is deactivated.
 */
#define ZUS_STATUS_INACTIVE 2

/**
 * The user was invited and has not accepted. An update of the status is accepted and changes nothing.
 */
#define ZUS_STATUS_PENDING 3

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Sets the credentials: a function that provides access tokens. `userdata` must live as long as the clients made from
 * this configuration. Replaces other credentials.
 */
ZUS_API
zus_code zus_config_set_token_provider(zus_config *config,
                                       zus_token_provider_fn provider,
                                       void *userdata);

/**
 * Sets the function that receives log lines, from ZUS_LOG_ERROR up to `level`. NULL: no log lines, the default.
 * `userdata` must live as long as the clients made from this configuration.
 */
ZUS_API
zus_code zus_config_set_log(zus_config *config,
                            zus_log_level level,
                            zus_log_fn log_fn,
                            void *userdata);

/**
 * Makes a cancel that is not triggered. Never NULL. Free it with zus_cancel_free.
 */
ZUS_API zus_cancel *zus_cancel_new(void);

/**
 * Ends the calls that use this cancel with ZUS_ERR_CANCELLED: those that run now (within 100 ms) and those that begin
 * later. It can't be reset. From any thread; not from a signal handler. NULL is fine.
 */
ZUS_API
void zus_cancel_trigger(const zus_cancel *cancel);

/**
 * Frees a cancel. No blocking call may be using it. NULL is fine.
 */
ZUS_API void zus_cancel_free(zus_cancel *cancel);

/**
 * Makes a client from a copy of the configuration. It sends nothing. ZUS_ERR_CREDENTIALS when no credentials are set,
 * ZUS_ERR_ARGUMENT when the environment names a malformed proxy: zus_config_message says more. On failure *client is NULL.
 * Free it with zus_client_free.
 */
ZUS_API
zus_code zus_client_new(const zus_config *config,
                        zus_client **client);

/**
 * Frees a client: closes its connections and wipes its secrets. No blocking call may be running on it. Started calls are
 * cancelled, not waited for, and their events still come. NULL is fine, and so is a client that was made before fork().
 */
ZUS_API
void zus_client_free(zus_client *client);

/**
 * Updates one user and waits for the response: PUT {api}/users/{user_id}/status. `user_id` is a user ID, an email address,
 * or "me" for user-level apps, of up to 1,024 bytes; leading or trailing whitespace, "." and ".." are ZUS_ERR_ARGUMENT.
 * Returns the same code as zus_result_code. `cancel` and `result` may be NULL. *result is NULL only for ZUS_ERR_NULL,
 * ZUS_ERR_UTF8 and ZUS_ERR_PANIC; otherwise free it with zus_result_free. Thread-safe.
 */
ZUS_API
zus_code zus_update_status(const zus_client *client,
                           const char *user_id,
                           zus_action action,
                           const zus_cancel *cancel,
                           zus_result **result);

/**
 * Reads one user and waits for the response: GET {api}/users/{user_id}. zus_result_user_status says whether the user is
 * active, inactive or pending; the body holds what else Zoom says of the user, as JSON (id, email, role_name, type,
 * dept, last_login_time). Needs the scope user:read:user:admin, or user:write:admin or user:read:admin; without it,
 * ZUS_ERR_FORBIDDEN. Otherwise like zus_update_status.
 */
ZUS_API
zus_code zus_get_user_status(const zus_client *client,
                             const char *user_id,
                             const zus_cancel *cancel,
                             zus_result **result);

/**
 * Obtains an access token and touches no user: this shows whether the credentials are right. The body of the result is what
 * Zoom said of the token (scope, expires_in, api_url) as JSON, without the token itself. It is empty for
 * zus_config_set_token and zus_config_set_token_provider: nothing is known of such a token until a request carries it.
 * Otherwise like zus_update_status.
 */
ZUS_API
zus_code zus_check_credentials(const zus_client *client,
                               const zus_cancel *cancel,
                               zus_result **result);

/**
 * Updates many users within the rate limit, several at once. on_result runs once for each user as that user's update ends,
 * in any order. Every entry of user_ids is sent once, duplicates too. An entry that can't be sent (NULL, not UTF-8, leading
 * or trailing whitespace) has a result with its own code, and the others go on. A user for whom on_result did not run was
 * never sent, so a later batch can go on from there; on_result still runs for users who are in flight when the batch stops.
 * Returns ZUS_OK when every update succeeded; ZUS_ERR_CANCELLED after a stop or a cancel; the code that is fatal for the
 * batch, when every remaining user would fail the same way (no token, a rejected token, a missing scope, the daily limit, a
 * wrong URL); otherwise ZUS_ERR_PARTIAL. `cancel` may be NULL.
 * The threads of a batch are made inside the call and end before it returns; on_result runs on the calling thread.
 * Thread-safe.
 */
ZUS_API
zus_code zus_update_status_many(const zus_client *client,
                                const char *const *user_ids,
                                size_t count,
                                zus_action action,
                                const zus_cancel *cancel,
                                zus_result_fn on_result,
                                void *userdata);

/**
 * Reads many users. Otherwise like zus_update_status_many, with results like those of zus_get_user_status.
 */
ZUS_API
zus_code zus_get_user_status_many(const zus_client *client,
                                  const char *const *user_ids,
                                  size_t count,
                                  const zus_cancel *cancel,
                                  zus_result_fn on_result,
                                  void *userdata);

/**
 * Makes a configuration without credentials, and with defaults for a Pro account. Never NULL: when memory runs out, the
 * process is aborted, here as in every function of this library. Free it with zus_config_free.
 */
ZUS_API
zus_config *zus_config_new(void);

/**
 * Frees a configuration and wipes its secrets. Clients made from it live on. NULL is fine.
 */
ZUS_API void zus_config_free(zus_config *config);

/**
 * Returns why the last setter or zus_client_new on this configuration failed: what is wrong with which value, without a
 * secret. "" when it succeeded, and for NULL. Borrowed until the next call with this configuration.
 */
ZUS_API
const char *zus_config_message(const zus_config *config);

/**
 * Sets the credentials: a static token, without the word "Bearer", visible ASCII, up to 8,192 bytes. It can't be
 * refreshed: once Zoom rejects it (a token lives for an hour), calls end with ZUS_ERR_UNAUTHORIZED. Replaces other credentials.
 */
ZUS_API
zus_code zus_config_set_token(zus_config *config,
                              const char *token);

/**
 * Sets the credentials: Server-to-Server OAuth. The client obtains access tokens (POST to the OAuth URL, HTTP Basic, form
 * body) and shares one between all its threads. It refreshes the token 60 s before it expires (after half its life, where
 * that is less than 120 s), and once when Zoom rejects it. Each value has up to 1,024 bytes; client_id has no colon.
 * Replaces other credentials.
 */
ZUS_API
zus_code zus_config_set_oauth(zus_config *config,
                              const char *account_id,
                              const char *client_id,
                              const char *client_secret);

/**
 * Sets credentials and URLs from the environment: ZOOM_ACCESS_TOKEN, or else ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and
 * ZOOM_CLIENT_SECRET; and, where they are set, ZOOM_API_URL and ZOOM_OAUTH_URL. An empty variable counts as not set.
 * ZUS_ERR_CREDENTIALS when a variable is missing: zus_config_message names it. A privileged program (setuid, setgid, file
 * capabilities) finds none. No other thread may change the environment meanwhile.
 */
ZUS_API
zus_code zus_config_set_from_env(zus_config *config);

/**
 * Sets the URLs of Zoom: the base of the API (default "https://api.zoom.us/v2") and the OAuth token endpoint (default
 * "https://zoom.us/oauth/token"). NULL leaves one as it is. Zoom for Government: "https://api.zoomgov.com/v2" and
 * "https://zoomgov.com/oauth/token". A URL with a user name, a query or a fragment is ZUS_ERR_ARGUMENT, and so is http://
 * unless the host is loopback (127.0.0.0/8, [::1], localhost), since a token travels with each request.
 */
ZUS_API
zus_code zus_config_set_urls(zus_config *config,
                             const char *api,
                             const char *oauth);

/**
 * Sets the encoding of the request body. Default: ZUS_ENCODING_FORM.
 */
ZUS_API zus_code zus_config_set_encoding(zus_config *config, zus_encoding encoding);

/**
 * Sets two limits in milliseconds, each 1 to 86,400,000. connect_ms (default 10,000) is for one connection: host name, TCP,
 * proxy and TLS. total_ms (default 60,000) is for one call with everything in it: token, waits and retries.
 * No call outlasts total_ms by more than 100 ms, except for the time that it spends in functions of yours. In a batch each
 * user has total_ms, counted from the user's first slot.
 */
ZUS_API
zus_code zus_config_set_timeouts(zus_config *config,
                                 uint32_t connect_ms,
                                 uint32_t total_ms);

/**
 * Sets whether updates are verified: after Zoom accepted ZUS_ACTIVATE or ZUS_DEACTIVATE, the library reads the user at
 * growing intervals until the status is the wanted one, for up to wait_ms milliseconds (0 to 86,400,000) and never past the
 * call's total time. Then the code is ZUS_OK; otherwise ZUS_ERR_NOT_VERIFIED, with zus_result_user_status. A pending user
 * ends the wait at once. 0, the default: updates are not verified.
 * HTTP status, headers, body and attempts of a result are the update's; user status and message are the last read's.
 * Each read is a request of its own: it counts for the rate limit, and for the daily limit of Zoom's Free plan. Reading
 * needs the scope user:read:user:admin, user:write:admin or user:read:admin: a batch reads its first user before it updates
 * anybody, and a missing scope ends it there.
 */
ZUS_API
zus_code zus_config_set_verify(zus_config *config,
                               uint32_t wait_ms);

/**
 * Sets the longest time, in milliseconds, that one attempt may take, from its slot to the last byte of the response,
 * and that one token request may take (0 to 86,400,000). An attempt that takes longer is retried, and ends with
 * ZUS_ERR_TIMEOUT where no attempts or no time are left. 0, the default: total_ms divided by the number of attempts,
 * but at least 10,000. No attempt outlasts total_ms.
 */
ZUS_API
zus_code zus_config_set_attempt_timeout(zus_config *config,
                                        uint32_t attempt_ms);

/**
 * Sets how often and when a request is retried. `attempts` is 1 to 100 (default 4; 1 means no retries). The library
 * retries what is safe and useful to retry: a connection that failed or broke, HTTP 408, a short rate limit (429), 5xx but
 * not 501 and 505.
 * The wait before a retry is random between 0 and first_ms (default 500), doubled each time up to most_ms (default 30,000), or
 * what Retry-After says; never past the call's total time. first_ms is 1 to 86,400,000; most_ms first_ms to 86,400,000.
 * Not counted: one more request with a refreshed token, one with JSON, and those on idle connections that turn out to be
 * closed.
 */
ZUS_API
zus_code zus_config_set_retry(zus_config *config,
                              uint32_t attempts,
                              uint32_t first_ms,
                              uint32_t most_ms);

/**
 * Sets the rate limit: at most `requests` (0 to 1,000,000; 0 for no limit) in per_ms milliseconds (1 to 86,400,000), evenly
 * spread, for all threads of one client together. Default: 30 in 1,000. Zoom's limits for this call, per account and shared
 * by all its apps: 4 a second and 6,000 a day on Free, 30 a second on Pro, 80 a second on Business and above.
 * When Zoom says that its rate limit was reached, the client pauses for a moment and sends more slowly for a while.
 */
ZUS_API
zus_code zus_config_set_rate(zus_config *config,
                             uint32_t requests,
                             uint32_t per_ms);

/**
 * Sets how many users are in flight at once, in a batch and among started calls: 1 to 256. Default 16.
 */
ZUS_API zus_code zus_config_set_concurrency(zus_config *config, uint32_t in_flight);

/**
 * Sets a proxy: "http://" (or nothing), "https://" or "socks5://", then "[user:password@]host[:port]", percent-encoded
 * where needed; "" for no proxy at all. Without this setting, the environment decides when the client is made, as it does
 * for curl: https_proxy or HTTPS_PROXY, else all_proxy or ALL_PROXY; no_proxy or NO_PROXY. An http:// API, which is on
 * loopback, uses no proxy from the environment.
 */
ZUS_API
zus_code zus_config_set_proxy(zus_config *config,
                              const char *url);

/**
 * Sets the CA certificates to trust, instead of the operating system's trust store: a PEM text of `length` bytes with at
 * least one certificate, all of them valid.
 */
ZUS_API
zus_code zus_config_set_ca_pem(zus_config *config,
                               const uint8_t *pem,
                               size_t length);

/**
 * Sets the User-Agent header, up to 256 bytes. Default: "zoom-user-status/" and the version.
 */
ZUS_API zus_code zus_config_set_user_agent(zus_config *config, const char *user_agent);

/**
 * Returns the name of a code, e.g. "ZUS_ERR_USER_NOT_FOUND"; "ZUS_ERR_UNKNOWN" for a number that is no code.
 * The string is static. Thread-safe.
 */
ZUS_API const char *zus_code_name(int32_t code);

/**
 * Returns a sentence for people, e.g. "the user does not exist or is not on this account".
 * The string is static. Thread-safe.
 */
ZUS_API const char *zus_code_text(int32_t code);

/**
 * Returns the version of the library in use, e.g. "0.1.0"; the header's are ZUS_VERSION_MAJOR, _MINOR and _PATCH.
 * The string is static. Thread-safe.
 */
ZUS_API
const char *zus_version(void);

/**
 * Returns the number of the ABI in use: the number in the name of the shared library where names have one
 * (libzus.so.0, libzus.0.dylib). A program that was built with another number must not use this library.
 * ZUS_ABI_VERSION is the header's. Thread-safe.
 */
ZUS_API int32_t zus_abi_version(void);

/**
 * Makes an empty queue. Never NULL. Free it with zus_queue_free.
 */
ZUS_API zus_queue *zus_queue_new(void);

/**
 * Frees a queue and the events in it. Calls that were started with it go on, and their events are dropped; a client that
 * asks it for a token gets none. No other function may be using it. NULL is fine. In a child of fork() it frees nothing.
 */
ZUS_API
void zus_queue_free(zus_queue *queue);

/**
 * Takes the next event, or waits for one for up to wait_ms milliseconds (0: does not wait). NULL when none came, after
 * zus_queue_wake, and in a child of fork(). Free the event with zus_event_free. Thread-safe: several threads may wait,
 * and each event goes to one of them.
 */
ZUS_API
zus_event *zus_queue_next(const zus_queue *queue,
                          uint32_t wait_ms);

/**
 * Makes one zus_queue_next return NULL: one that waits now, or else the next one. From any thread; not from a signal
 * handler. NULL is fine.
 */
ZUS_API
void zus_queue_wake(const zus_queue *queue);

/**
 * Returns a descriptor for poll, epoll, kqueue or select (on Windows a socket), or -1 when the system has none left, in
 * a child of fork(), and for NULL. It is readable while there are events: take them with zus_queue_next(queue, 0) until
 * that is NULL. An event loop that can only read may read from it: ignore the bytes, and take the events whenever some
 * arrive. On Windows it is always non-blocking. Don't write to it. The caller owns it, closes it, and may keep it longer
 * than the queue. Each call returns another one.
 */
ZUS_API
int64_t zus_queue_descriptor(const zus_queue *queue);

/**
 * Returns what the event is: ZUS_EVENT_RESULT, _LOG or _TOKEN. 0 for NULL. Ignore a kind that you don't know.
 */
ZUS_API zus_event_type zus_event_kind(const zus_event *event);

/**
 * Returns the userdata that the call was started with. NULL for an event that is not ZUS_EVENT_RESULT.
 */
ZUS_API void *zus_event_userdata(const zus_event *event);

/**
 * Returns the result of a started call, borrowed until zus_event_free. NULL for an event that is not ZUS_EVENT_RESULT.
 */
ZUS_API
const zus_result *zus_event_result(const zus_event *event);

/**
 * Returns the level of a log line; 0 for an event that is not ZUS_EVENT_LOG.
 */
ZUS_API zus_log_level zus_event_log_level(const zus_event *event);

/**
 * Returns a log line, borrowed until zus_event_free; "" for an event that is not ZUS_EVENT_LOG.
 */
ZUS_API const char *zus_event_message(const zus_event *event);

/**
 * Returns 1 when the client needs a token because Zoom rejected the last one; else 0.
 */
ZUS_API int32_t zus_event_token_rejected(const zus_event *event);

/**
 * Replies to a ZUS_EVENT_TOKEN with an access token, without the word "Bearer", visible ASCII, up to 8,192 bytes.
 * ZUS_ERR_ARGUMENT for a malformed token, for a second reply, and for an event that is not ZUS_EVENT_TOKEN.
 * A ZUS_EVENT_TOKEN that is freed without a reply tells the client that there is no token.
 */
ZUS_API
zus_code zus_event_set_token(zus_event *event,
                             const char *token);

/**
 * Frees an event, and with it what was borrowed from it. NULL is fine.
 */
ZUS_API void zus_event_free(zus_event *event);

/**
 * Frees a result, and with it the strings borrowed from it. NULL is fine. Not for a borrowed result.
 */
ZUS_API void zus_result_free(zus_result *result);

/**
 * Returns how the call ended. ZUS_ERR_NULL for NULL.
 */
ZUS_API zus_code zus_result_code(const zus_result *result);

/**
 * Returns the HTTP status code of the last response; 0 when none came.
 */
ZUS_API int32_t zus_result_http_status(const zus_result *result);

/**
 * Returns Zoom's own error code, e.g. 1001; 0 for none.
 */
ZUS_API int32_t zus_result_zoom_code(const zus_result *result);

/**
 * Returns what went wrong, with Zoom's own message and field errors. "" when nothing did. UTF-8, borrowed from the result.
 * Zoom's part may be in another language: decide by codes.
 */
ZUS_API
const char *zus_result_message(const zus_result *result);

/**
 * Returns the user ID as it was passed in. Borrowed from the result.
 */
ZUS_API const char *zus_result_user_id(const zus_result *result);

/**
 * Returns the header x-zm-trackingid of the response, which Zoom's support asks for; "" for none. Borrowed from the
 * result.
 */
ZUS_API
const char *zus_result_tracking_id(const zus_result *result);

/**
 * Returns a header of the response by its name, in upper or lower case, e.g. "x-ratelimit-remaining"; "" for none. Several
 * headers of one name are joined by ", "; bytes that are not UTF-8 become U+FFFD. Borrowed from the result.
 */
ZUS_API
const char *zus_result_header(const zus_result *result,
                              const char *name);

/**
 * Returns the body of the response, byte for byte (up to 1 MiB), with a NUL after it. Its length is written to *length, which
 * may be NULL. Never NULL. Borrowed from the result.
 */
ZUS_API
const char *zus_result_body(const zus_result *result,
                            size_t *length);

/**
 * Returns after how many seconds, counted from the response, Zoom allows the next request: Retry-After in any of its
 * formats, 0 to 604,800. -1 when the response had none.
 */
ZUS_API
int64_t zus_result_retry_after(const zus_result *result);

/**
 * Returns how many attempts were begun for this user, retries included: requests that were sent, and connections that
 * failed. 0 when there was none.
 */
ZUS_API
int32_t zus_result_attempts(const zus_result *result);

/**
 * Returns whether the request may have reached Zoom, over all its attempts: ZUS_DELIVERY_NOT_SENT, _UNKNOWN or
 * _RESPONDED. ZUS_DELIVERY_NOT_SENT for NULL.
 */
ZUS_API
zus_delivery zus_result_delivery(const zus_result *result);

/**
 * Returns the user's status where it was read: by zus_get_user_status, or to verify an update. ZUS_STATUS_UNKNOWN
 * otherwise, and for NULL.
 */
ZUS_API
zus_user_status zus_result_user_status(const zus_result *result);

/**
 * Returns 1 when the failure is fatal for a batch: every remaining user would fail the same way (no token, a rejected
 * token, a missing scope, the daily limit, a wrong URL). Else 0, and for NULL.
 */
ZUS_API
int32_t zus_result_is_fatal(const zus_result *result);

/**
 * Starts to update a user and returns at once: copies its arguments, and reads no memory of the caller's afterwards.
 * Exactly one ZUS_EVENT_RESULT with this userdata reaches the queue, also when the call is cancelled or an argument is
 * invalid (the result says why). With any code but ZUS_OK nothing was started and no event comes: ZUS_ERR_NULL,
 * ZUS_ERR_UTF8, ZUS_ERR_FORKED, ZUS_ERR_QUEUE_FULL, ZUS_ERR_NO_THREAD.
 *
 * Calls begin in the order in which they were started, at most zus_config_set_concurrency at once, on threads of the
 * library that block all signals, have stacks of 2 MiB, and end after 1 s without work. The time of a call begins when
 * it has such a thread and its first slot. A cancel ends it within 100 ms, also while it waits; the call keeps a reference
 * to its cancel, which may be freed at once. `cancel` may be NULL. Thread-safe.
 * From the first started call on, the library stays in memory until the process ends. It never delays that end.
 * The event may be taken on another thread before this function has returned: free neither client nor cancel until then.
 */
ZUS_API
zus_code zus_update_status_start(const zus_client *client,
                                 const char *user_id,
                                 zus_action action,
                                 const zus_cancel *cancel,
                                 const zus_queue *queue,
                                 void *userdata);

/**
 * Starts to read a user, as zus_get_user_status does. Otherwise like zus_update_status_start.
 */
ZUS_API
zus_code zus_get_user_status_start(const zus_client *client,
                                   const char *user_id,
                                   const zus_cancel *cancel,
                                   const zus_queue *queue,
                                   void *userdata);

/**
 * Starts to obtain a token, as zus_check_credentials does. Otherwise like zus_update_status_start.
 */
ZUS_API
zus_code zus_check_credentials_start(const zus_client *client,
                                     const zus_cancel *cancel,
                                     const zus_queue *queue,
                                     void *userdata);

/**
 * Cancels every started call of a client, and waits for up to wait_ms milliseconds until none runs: then no token or log
 * function runs for them any more. Their events still come. Returns 1 when none runs, 0 when the time was up, and 1 for
 * NULL. The client can be used afterwards. Thread-safe; not from a token or log function of this client.
 */
ZUS_API
int32_t zus_client_cancel_started(const zus_client *client,
                                  uint32_t wait_ms);

/**
 * Stops the started calls of a client that were given this cancel, as a batch stops: one that has sent nothing ends with
 * ZUS_ERR_CANCELLED and 0 attempts, one that is in flight finishes. For batches that are built of started calls, after
 * a result with zus_result_is_fatal, or when the rest is not wanted. Calls that are started later are not stopped.
 * NULL is fine. Thread-safe.
 */
ZUS_API
void zus_client_stop_started(const zus_client *client,
                             const zus_cancel *cancel);

/**
 * Sets a queue that receives the log lines and token requests of the clients made from this configuration, as events. `kinds`
 * is a log level (0 for no log lines), plus ZUS_EVENTS_TOKEN for token requests, for example ZUS_LOG_INFO + ZUS_EVENTS_TOKEN.
 * Log lines replace zus_config_set_log, token requests replace other credentials. The queue may be freed at any time; then
 * there are no log lines and no tokens. Log lines are dropped while more than 131,072 events wait. A thread that makes a
 * blocking call can't take the token request of that call: take events on another.
 */
ZUS_API
zus_code zus_config_set_events(zus_config *config,
                               const zus_queue *queue,
                               int32_t kinds);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ZUS_H */
