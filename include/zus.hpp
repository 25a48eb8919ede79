/// @file zus.hpp
/// C++17 over zus.h: activate and deactivate Zoom users. Header-only; link the zus library.
///
///     zus::client zoom{zus::config{}.token("eyJ...")};
///     if (auto result = zoom.deactivate("ada@example.com"); !result)
///       std::cerr << result.code() << ": " << result.message() << std::endl;
///
/// What Zoom responds, or the network does, is a value: zus::result, and the compiler warns when it is dropped. A usage
/// error (zus::code 1 to 19, such as an empty user ID) is thrown as zus::error. A batch hands over every user's result
/// as a value, usage errors too.
///
/// Strings in are UTF-8 and copied. Strings out are views that live as long as the result they came from, and are
/// NUL-ended; where the compiler can tell, it warns of one that outlives its result. A zus::client is shared by as many
/// threads as you like; a zus::config belongs to one at a time.
///
/// A zus::code is a std::error_code as well, and prints its name. zus_fwd.hpp declares these types only.
///
/// Calls that don't wait, three ways: client::update_async gives a std::future; with a function, that is called as the call
/// ends, on the one thread that this header makes for it; client::update_start puts an event into a zus::queue, which a
/// program with an event loop reads itself. A shared library that uses the first two must stay loaded from then on.
///
/// Without exceptions (-fno-exceptions) nothing is thrown: a setter's first failure stays in config::code(), the
/// client made from it is empty with that client::code(), and each call on it returns that code.
#ifndef ZUS_HPP
#define ZUS_HPP

#include "zus_fwd.hpp"

#include "zus.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <future>
#include <initializer_list>
#include <iosfwd>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#ifndef _WIN32
#  include <signal.h>
#  include <unistd.h>
#endif

// What is borrowed from a temporary, such as zoom.deactivate(user).message(), is a warning where the compiler can tell.
#define ZUS_LIFETIMEBOUND
#if defined(__has_cpp_attribute)
#  if __has_cpp_attribute(clang::lifetimebound)
#    undef ZUS_LIFETIMEBOUND
#    define ZUS_LIFETIMEBOUND [[clang::lifetimebound]]
#  elif __has_cpp_attribute(msvc::lifetimebound)
#    undef ZUS_LIFETIMEBOUND
#    define ZUS_LIFETIMEBOUND [[msvc::lifetimebound]]
#  endif
#endif

namespace zus {
#if ZUS_HPP_EXCEPTIONS
inline namespace throwing {
#else
inline namespace nothrow {
#endif

/// The result of a call. 1-19 usage errors; 20-39 the network; 40-69 Zoom; 70-79 the batch or a cancel;
/// 99 a bug.
/// A newer library may return numbers that are not named here.
enum class code : std::int32_t {
  ok = ZUS_OK,
  null = ZUS_ERR_NULL,                      ///< A handle was missing: used after a move, for one.
  utf8 = ZUS_ERR_UTF8,                      ///< A string is not UTF-8.
  argument = ZUS_ERR_ARGUMENT,              ///< A value is empty, out of range or not allowed.
  credentials = ZUS_ERR_CREDENTIALS,        ///< No token and no OAuth credentials are configured.
  forked = ZUS_ERR_FORKED,                  ///< The client was made before fork(): make a new one in the child.
  reentrant = ZUS_ERR_REENTRANT,            ///< A callback called its own client.
  resolve = ZUS_ERR_RESOLVE,                ///< The host name was not found.
  connect = ZUS_ERR_CONNECT,                ///< No connection could be made.
  tls = ZUS_ERR_TLS,                        ///< The certificate was not trusted, or the handshake failed.
  timeout = ZUS_ERR_TIMEOUT,                ///< The configured time has passed.
  proxy = ZUS_ERR_PROXY,                    ///< The proxy rejected the connection, or could not be reached.
  io = ZUS_ERR_IO,                          ///< The connection broke.
  protocol = ZUS_ERR_PROTOCOL,              ///< Not a response that Zoom sends: HTML, text, a redirect, too large.
  token = ZUS_ERR_TOKEN,                    ///< No access token could be obtained.
  unauthorized = ZUS_ERR_UNAUTHORIZED,      ///< Zoom rejected the access token.
  forbidden = ZUS_ERR_FORBIDDEN,            ///< A scope or a permission is missing.
  user_not_found = ZUS_ERR_USER_NOT_FOUND,  ///< No such user on this account.
  user_protected = ZUS_ERR_USER_PROTECTED,  ///< A Zoom Room or an admin, whose status can't be changed.
  user_busy = ZUS_ERR_USER_BUSY,            ///< The user has an upcoming Zoom Events event.
  user_limit = ZUS_ERR_USER_LIMIT,          ///< The account has reached its user limit.
  rate_limited = ZUS_ERR_RATE_LIMITED,      ///< Too many requests a second, and the retries are used up.
  daily_limit = ZUS_ERR_DAILY_LIMIT,        ///< A rate limit that lasts more than a minute, such as the daily limit.
  rejected = ZUS_ERR_REJECTED,              ///< Zoom rejected the request for another reason.
  server = ZUS_ERR_SERVER,                  ///< Zoom failed (5xx), and the retries are used up.
  not_verified = ZUS_ERR_NOT_VERIFIED,      ///< Zoom accepted the update, but the user's status is not the wanted one: see config::verify.
  endpoint = ZUS_ERR_ENDPOINT,              ///< The server does not know this endpoint: check the API URL.
  cancelled = ZUS_ERR_CANCELLED,            ///< Ended by a zus::cancel, or by the callback of a batch.
  partial = ZUS_ERR_PARTIAL,                ///< The batch ran to its end, and some users failed.
  queue_full = ZUS_ERR_QUEUE_FULL,          ///< 65,536 started calls wait to be taken: nothing was started.
  no_thread = ZUS_ERR_NO_THREAD,            ///< The system has no thread left: nothing was started.
  panic = ZUS_ERR_PANIC                     ///< A bug in this library.
};

/// What to do with a user.
enum class action : std::int32_t {
  activate = ZUS_ACTIVATE,
  deactivate = ZUS_DEACTIVATE,  ///< Blocks the sign-in and removes all licenses.
  clock_in = ZUS_CLOCK_IN,
  clock_out = ZUS_CLOCK_OUT
};

/// A user's status, as Zoom says it.
enum class user_status : std::int32_t {
  unknown = ZUS_STATUS_UNKNOWN,    ///< Not read, or one that this version does not know.
  active = ZUS_STATUS_ACTIVE,      ///< The user can sign in.
  inactive = ZUS_STATUS_INACTIVE,  ///< The user is deactivated.
  pending = ZUS_STATUS_PENDING     ///< Invited, and has not accepted: an update is accepted and changes nothing.
};

/// Whether a request may have reached Zoom.
enum class delivery : std::int32_t {
  not_sent = ZUS_DELIVERY_NOT_SENT,   ///< No request was sent: nothing was applied.
  unknown = ZUS_DELIVERY_UNKNOWN,     ///< One may have been, and may have been applied.
  responded = ZUS_DELIVERY_RESPONDED  ///< Zoom sent a response, and the code says what it means.
};

/// The encoding of the request body.
enum class encoding : std::int32_t {
  form = ZUS_ENCODING_FORM,  ///< multipart/form-data; where the server rejects it, JSON from then on. The default.
  json = ZUS_ENCODING_JSON   ///< application/json
};

/// How much a log says.
enum class log_level : std::int32_t {
  error = ZUS_LOG_ERROR,
  warning = ZUS_LOG_WARN,
  info = ZUS_LOG_INFO,
  debug = ZUS_LOG_DEBUG
};

/// What an event is. Ignore a kind that you don't know.
enum class event_kind : std::int32_t {
  none = 0,                  ///< There was no event.
  result = ZUS_EVENT_RESULT,  ///< A started call has ended.
  log = ZUS_EVENT_LOG,        ///< A log line.
  token = ZUS_EVENT_TOKEN     ///< The client needs an access token.
};

/// The code's name, as in zus.h: "ZUS_ERR_USER_NOT_FOUND"; "ZUS_ERR_UNKNOWN" for an unknown one.
inline std::string_view name(code value) noexcept { return zus_code_name(static_cast<zus_code>(value)); }

/// The code as a sentence for people.
inline std::string_view text(code value) noexcept { return zus_code_text(static_cast<zus_code>(value)); }

/// The action's name: "deactivate"; "unknown" for a number that is none.
inline std::string_view name(action value) noexcept {
  switch (value) {
    case action::activate: return "activate";
    case action::deactivate: return "deactivate";
    case action::clock_in: return "clock_in";
    case action::clock_out: return "clock_out";
  }
  return "unknown";
}

/// Writes name(value).
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, code value) {
  return out << std::basic_string_view<char, Traits>(name(value).data(), name(value).size());
}

/// Writes name(value).
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, action value) {
  return out << std::basic_string_view<char, Traits>(name(value).data(), name(value).size());
}

/// The version of the library that is loaded: "0.1.0". ZUS_VERSION_* are the header's.
inline std::string_view version() noexcept { return zus_version(); }

/// The number of the ABI of the library in use; ZUS_ABI_VERSION is the number that this program was compiled with.
inline std::int32_t abi_version() noexcept { return zus_abi_version(); }

#if defined(__clang__)
#  pragma clang diagnostic push
#  pragma clang diagnostic ignored "-Wweak-vtables"  // a header has no file of its own for a vtable
#endif
/// A usage error, thrown where exceptions are on. what() says what is wrong with what, never a secret.
class error : public std::invalid_argument {
 public:
  error(zus::code value, const std::string& what) : std::invalid_argument(what), code_(value) {}
  zus::code code() const noexcept { return code_; }

 private:
  zus::code code_;
};

namespace detail {

class error_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "zus"; }
  std::string message(int value) const override { return zus_code_text(static_cast<zus_code>(value)); }

  // Where the standard has the very same condition, and no other.
  std::error_condition default_error_condition(int value) const noexcept override {
    switch (value) {
      case ZUS_ERR_NULL:
      case ZUS_ERR_ARGUMENT: return std::errc::invalid_argument;
      case ZUS_ERR_UTF8: return std::errc::illegal_byte_sequence;
      case ZUS_ERR_TIMEOUT: return std::errc::timed_out;
      case ZUS_ERR_CANCELLED: return std::errc::operation_canceled;
      default: return {value, *this};
    }
  }
};

// One for the whole program, which is never destroyed: a destructor at exit may still want it.
template <class T, class... Arguments>
const T& immortal(Arguments... arguments) {
  alignas(T) static unsigned char place[sizeof(T)];
  static const T* const made = ::new (static_cast<void*>(place)) T(arguments...);
  return *made;
}

}  // namespace detail
#if defined(__clang__)
#  pragma clang diagnostic pop
#endif

/// The category of a zus::code as a std::error_code.
inline const std::error_category& category() noexcept { return detail::immortal<detail::error_category>(); }

/// A zus::code converts to std::error_code by this: `std::error_code failed = result.code();`
inline std::error_code make_error_code(code value) noexcept { return {static_cast<int>(value), category()}; }

/// A string as an argument: a literal, a std::string, a std::string_view, or a const char*. NULL is code::null.
class text_arg {
 public:
  text_arg(const char* value) noexcept : view_(value == nullptr ? std::string_view() : std::string_view(value)) {}
  template <class T, class = std::enable_if_t<std::is_convertible_v<T, std::string_view> &&
                                              !std::is_pointer_v<std::decay_t<T>> &&
                                              !std::is_null_pointer_v<std::decay_t<T>>>>
  text_arg(T&& value) : view_(std::forward<T>(value)) {
    if (view_.data() == nullptr) view_ = "";  // an empty view is an empty string
  }

  std::string_view view() const noexcept { return view_; }
  bool is_null() const noexcept { return view_.data() == nullptr; }

 private:
  std::string_view view_;
};

/// Implementation, not for callers.
namespace detail {

struct deleter {
  void operator()(zus_config* handle) const noexcept { zus_config_free(handle); }
  void operator()(zus_client* handle) const noexcept { zus_client_free(handle); }
  void operator()(zus_cancel* handle) const noexcept { zus_cancel_free(handle); }
  void operator()(zus_result* handle) const noexcept { zus_result_free(handle); }
  void operator()(zus_queue* handle) const noexcept { zus_queue_free(handle); }
  void operator()(zus_event* handle) const noexcept { zus_event_free(handle); }
};
template <class T>
using handle = std::unique_ptr<T, deleter>;

inline bool is_usage_error(zus_code value) noexcept { return value > 0 && value < 20; }

// As long as fits: 49 days.
inline std::uint32_t wait_ms(std::chrono::milliseconds wait) noexcept {
  constexpr std::chrono::milliseconds::rep most = (std::numeric_limits<std::uint32_t>::max)();
  return static_cast<std::uint32_t>(wait.count() < 0 ? 0 : wait.count() < most ? wait.count() : most);
}

inline void wipe(std::string& secret) noexcept {
  volatile char* bytes = secret.data();
  for (std::size_t i = 0; i < secret.size(); ++i) bytes[i] = 0;
}

// The text of a zus::error: what was called, and the reason, or what the code says where there is none.
inline std::string what(const char* scope, const char* function, zus_code value, const char* reason) {
  return std::string(scope) + function + ": " + (*reason != '\0' ? reason : zus_code_text(value));
}

// Appends a NUL-ended copy. A NUL inside becomes another control character, which the library rejects: cut off there,
// the text would be somebody else's id.
inline void append(std::string& out, std::string_view value) {
  for (char c : value) out.push_back(c == '\0' ? '\x01' : c);
  out.push_back('\0');
}

// A NUL-ended copy for the length of a call, wiped after it since it may be a secret. NULL stays NULL.
class c_string {
 public:
  explicit c_string(text_arg value) : null_(value.is_null()) {
    copy_.reserve(value.view().size() + 1);
    append(copy_, value.view());
  }
  ~c_string() { wipe(copy_); }
  c_string(const c_string&) = delete;
  c_string& operator=(const c_string&) = delete;
  const char* get() const noexcept { return null_ ? nullptr : copy_.data(); }

 private:
  bool null_;
  std::string copy_{};
};

// Whether this thread is inside the one function that this stands for.
class presence {
 public:
  bool is_here() const noexcept { return thread_.load() == std::this_thread::get_id(); }
  void enter() noexcept { thread_ = std::this_thread::get_id(); }
  void leave() noexcept { thread_ = std::thread::id(); }

 private:
  std::atomic<std::thread::id> thread_{};
};

// The caller's token provider, and what it keeps between two calls when the library's buffer was too small.
struct token_source {
  std::function<std::string(bool)> provide;
  std::mutex mutex{};
  std::string pending{};
  std::thread::id pending_for{};
  std::exception_ptr thrown{};
  presence inside{};

  explicit token_source(std::function<std::string(bool)> fn) : provide(std::move(fn)) {}
  ~token_source() { wipe(pending); }
  token_source(const token_source&) = delete;
  token_source& operator=(const token_source&) = delete;

  static std::size_t call(void* self, std::int32_t rejected, char* buffer, std::size_t capacity) noexcept {
    auto* const source = static_cast<token_source*>(self);
    source->inside.enter();
    const std::size_t length = source->provide_into(rejected != 0, buffer, capacity);
    source->inside.leave();
    return length;
  }

  std::size_t provide_into(bool rejected, char* buffer, std::size_t capacity) noexcept {
#if ZUS_HPP_EXCEPTIONS
    try {
      return give(rejected, buffer, capacity);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      thrown = std::current_exception();
      return 0;
    }
#else
    return give(rejected, buffer, capacity);
#endif
  }

  std::size_t give(bool rejected, char* buffer, std::size_t capacity) {
    std::string token;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (pending_for == std::this_thread::get_id() && pending.size() <= capacity) token.swap(pending);
    }
    if (token.empty()) token = provide(rejected);
    const std::size_t length = token.size();
    const std::lock_guard<std::mutex> lock(mutex);
    thrown = nullptr;
    if (length > capacity) {
      wipe(pending);
      pending = token;
      pending_for = std::this_thread::get_id();
    } else if (length != 0) {
      std::memcpy(buffer, token.data(), length);
    }
    wipe(token);
    return length;
  }

  // Kept until an attempt ends otherwise: every call that waited for this one asks.
  std::exception_ptr last_thrown() {
    const std::lock_guard<std::mutex> lock(mutex);
    return thrown;
  }
};

struct log_sink {
  std::function<void(log_level, std::string_view)> write;
  presence inside{};

  explicit log_sink(std::function<void(log_level, std::string_view)> fn) : write(std::move(fn)) {}

  static void call(void* self, std::int32_t level, const char* message) noexcept {
    auto* const sink = static_cast<log_sink*>(self);
    sink->inside.enter();
    sink->line(level, message);
    sink->inside.leave();
  }

  void line(std::int32_t level, const char* message) noexcept {
#if ZUS_HPP_EXCEPTIONS
    try {
      write(static_cast<log_level>(level), message);
    } catch (...) {  // a log that fails must not fail the call
    }
#else
    write(static_cast<log_level>(level), message);
#endif
  }
};

}  // namespace detail

/// Receives the events of started calls, and log lines and token requests where config::log_events and
/// config::token_events say so. Safe from many threads at once, but for its end.
class queue {
 public:
  queue() : handle_(zus_queue_new()) {}

  /// Takes the next event, or waits for one for up to `wait`. An empty one when none came, after wake(), and in a child of
  /// fork().
  event next(std::chrono::milliseconds wait = std::chrono::milliseconds(0)) const noexcept;

  /// Makes one next() return: one that waits now, or else the next one. From any thread; not from a signal handler.
  void wake() const noexcept { zus_queue_wake(handle_.get()); }

  /// A descriptor for poll, epoll, kqueue or select (on Windows a socket) that is readable while there are events: take
  /// them until there is none. Another one each time, which the caller closes. -1 when there is none left.
  std::int64_t descriptor() const noexcept { return zus_queue_descriptor(handle_.get()); }

  /// The C handle, still owned by this. Null after a move.
  const zus_queue* get() const noexcept ZUS_LIFETIMEBOUND { return handle_.get(); }

 private:
  detail::handle<zus_queue> handle_;
};

/// The credentials and the settings of a client. A new one has defaults for Zoom, and no credentials.
///
/// Each setter checks its value at once, throws zus::error when it is not acceptable (and then changes nothing), and
/// returns the config, so that calls chain. Copied by the clients made from it: one config makes many clients.
class config {
 public:
  config() : handle_(zus_config_new()) {}

  /// Makes one from the environment: ZOOM_ACCESS_TOKEN, or else ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET;
  /// and ZOOM_API_URL and ZOOM_OAUTH_URL where they are set. code::credentials when something is missing.
  static config from_env() {
    config made;
    made.checked("from_env", zus_config_set_from_env(made.get()));
    return made;
  }

  /// Sets a static token. It expires an hour after Zoom made it, and can't be refreshed.
  config& token(text_arg value) & {
    return checked("token", zus_config_set_token(get(), detail::c_string(value).get()));
  }
  config&& token(text_arg value) && ZUS_LIFETIMEBOUND { return std::move(token(value)); }

  /// Sets a Server-to-Server OAuth app: the client obtains and refreshes its access tokens.
  config& oauth(text_arg account_id, text_arg client_id, text_arg client_secret) & {
    return checked("oauth", zus_config_set_oauth(get(), detail::c_string(account_id).get(), detail::c_string(client_id).get(),
                                                 detail::c_string(client_secret).get()));
  }
  config&& oauth(text_arg account_id, text_arg client_id, text_arg client_secret) && ZUS_LIFETIMEBOUND {
    return std::move(oauth(account_id, client_id, client_secret));
  }

  /// Sets a token provider: `std::string provider(bool rejected)`, "" when it has no token; up to 8,192 bytes.
  /// `rejected` is true when Zoom rejected the last one: until then a client keeps the one it has. It is called on any
  /// thread, one at a time per client, and must not call that client.
  /// Each call that needed the token rethrows unchanged what it throws. Kept as long as the clients live.
  config& token_provider(std::function<std::string(bool rejected)> provider) & {
    if (!provider) return own("token_provider", ZUS_ERR_NULL);
    auto source = std::make_shared<detail::token_source>(std::move(provider));
    const zus_code value = zus_config_set_token_provider(get(), &detail::token_source::call, source.get());
    if (value == ZUS_OK) token_source_ = std::move(source);
    return checked("token_provider", value);
  }
  config&& token_provider(std::function<std::string(bool rejected)> provider) && ZUS_LIFETIMEBOUND {
    return std::move(token_provider(std::move(provider)));
  }

  /// Sets the base URL of the API, default https://api.zoom.us/v2. https, or http to a loopback address.
  config& api_url(text_arg url) & {
    if (url.is_null()) return own("api_url", ZUS_ERR_NULL);  // which would keep the one that is set
    return checked("api_url", zus_config_set_urls(get(), detail::c_string(url).get(), nullptr));
  }
  config&& api_url(text_arg url) && ZUS_LIFETIMEBOUND { return std::move(api_url(url)); }

  /// Sets the URL of the token endpoint, default https://zoom.us/oauth/token. https, or http to a loopback address.
  config& oauth_url(text_arg url) & {
    if (url.is_null()) return own("oauth_url", ZUS_ERR_NULL);  // which would keep the one that is set
    return checked("oauth_url", zus_config_set_urls(get(), nullptr, detail::c_string(url).get()));
  }
  config&& oauth_url(text_arg url) && ZUS_LIFETIMEBOUND { return std::move(oauth_url(url)); }

  /// Sets the encoding of the request body, default encoding::form.
  config& encoding(zus::encoding value) & {
    return checked("encoding", zus_config_set_encoding(get(), static_cast<zus_encoding>(value)));
  }
  config&& encoding(zus::encoding value) && ZUS_LIFETIMEBOUND { return std::move(encoding(value)); }

  /// Sets the longest time to connect (default 10 s), and for a whole call with its retries and waits (default 60 s).
  /// Each 1 ms to a day.
  config& timeouts(std::chrono::milliseconds connect, std::chrono::milliseconds total) & {
    if (!fits(connect) || !fits(total)) return out_of_range("timeouts");
    return checked("timeouts", zus_config_set_timeouts(get(), count(connect), count(total)));
  }
  config&& timeouts(std::chrono::milliseconds connect, std::chrono::milliseconds total) && ZUS_LIFETIMEBOUND {
    return std::move(timeouts(connect, total));
  }

  /// Sets the most attempts for one user (1 to 100, default 4; 1 is no retry), and the longest wait before the first
  /// retry and before any retry (default 0.5 s and 30 s; each 1 ms to a day). Only what is safe and useful is retried.
  config& retry(std::uint32_t attempts, std::chrono::milliseconds first, std::chrono::milliseconds most) & {
    if (!fits(first) || !fits(most)) return out_of_range("retry");
    return checked("retry", zus_config_set_retry(get(), attempts, count(first), count(most)));
  }
  config&& retry(std::uint32_t attempts, std::chrono::milliseconds first, std::chrono::milliseconds most) && ZUS_LIFETIMEBOUND {
    return std::move(retry(attempts, first, most));
  }

  /// Sets the rate limit: the most requests in each span of time (1 ms to a day), evenly spread, over all threads. Default
  /// 30 a second, Zoom's limit for a Pro account; Free 4, Business and above 80. 0 requests is no limit.
  config& rate(std::uint32_t requests, std::chrono::milliseconds per = std::chrono::seconds(1)) & {
    if (!fits(per)) return out_of_range("rate");
    return checked("rate", zus_config_set_rate(get(), requests, count(per)));
  }
  config&& rate(std::uint32_t requests, std::chrono::milliseconds per = std::chrono::seconds(1)) && ZUS_LIFETIMEBOUND {
    return std::move(rate(requests, per));
  }

  /// Sets the longest time of one attempt, and of one token request, up to a day; an attempt that takes longer is retried.
  /// Default 0: the total time divided by the attempts, but at least 10 s.
  config& attempt_timeout(std::chrono::milliseconds longest) & {
    if (!fits(longest)) return own("attempt_timeout", ZUS_ERR_ARGUMENT, "a time is out of range: up to a day is allowed");
    return checked("attempt_timeout", zus_config_set_attempt_timeout(get(), count(longest)));
  }
  config&& attempt_timeout(std::chrono::milliseconds longest) && ZUS_LIFETIMEBOUND {
    return std::move(attempt_timeout(longest));
  }

  /// Has updates verified: after Zoom accepted it, the user is read until the status is the wanted one, for up to `wait`
  /// (at most a day) and never past the call's total time; otherwise the code is code::not_verified. Default 0: they
  /// are not. Each read is a request of its own and needs a scope that reads users.
  config& verify(std::chrono::milliseconds wait) & {
    if (!fits(wait)) return own("verify", ZUS_ERR_ARGUMENT, "a time is out of range: up to a day is allowed");
    return checked("verify", zus_config_set_verify(get(), count(wait)));
  }
  config&& verify(std::chrono::milliseconds wait) && ZUS_LIFETIMEBOUND { return std::move(verify(wait)); }

  /// Sets how many users of a batch are in flight at once, 1 to 256. Default 16.
  config& concurrency(std::uint32_t in_flight) & {
    return checked("concurrency", zus_config_set_concurrency(get(), in_flight));
  }
  config&& concurrency(std::uint32_t in_flight) && ZUS_LIFETIMEBOUND { return std::move(concurrency(in_flight)); }

  /// Sets the proxy: http://, https:// or socks5:// and [user:password@]host[:port]; "" for none. Unless it is set, the
  /// environment's (HTTPS_PROXY, ALL_PROXY, NO_PROXY) is used, as curl does.
  config& proxy(text_arg url) & {
    return checked("proxy", zus_config_set_proxy(get(), detail::c_string(url).get()));
  }
  config&& proxy(text_arg url) && ZUS_LIFETIMEBOUND { return std::move(proxy(url)); }

  /// Sets the CA certificates to trust, in PEM, one or more, instead of the system's trust store.
  config& ca_pem(text_arg pem) & {
    return checked("ca_pem", zus_config_set_ca_pem(get(), reinterpret_cast<const std::uint8_t*>(pem.view().data()), pem.view().size()));
  }
  config&& ca_pem(text_arg pem) && ZUS_LIFETIMEBOUND { return std::move(ca_pem(pem)); }

  /// Sets the User-Agent header of each request, up to 256 bytes. Default: the library's name and version.
  config& user_agent(text_arg value) & {
    return checked("user_agent", zus_config_set_user_agent(get(), detail::c_string(value).get()));
  }
  config&& user_agent(text_arg value) && ZUS_LIFETIMEBOUND { return std::move(user_agent(value)); }

  /// Sets the function for log lines up to `level`: `void sink(zus::log_level, std::string_view line)`. No line has a
  /// secret, at any level. It is called on any thread, one at a time per client, and must not call that client; what it
  /// throws is dropped. Kept as long as the clients live.
  config& log(log_level level, std::function<void(log_level, std::string_view)> sink) & {
    if (!sink) return own("log", ZUS_ERR_NULL);
    auto kept = std::make_shared<detail::log_sink>(std::move(sink));
    const zus_code value =
        zus_config_set_log(get(), static_cast<std::int32_t>(level), &detail::log_sink::call, kept.get());
    if (value == ZUS_OK) log_sink_ = std::move(kept);
    return checked("log", value);
  }
  config&& log(log_level level, std::function<void(log_level, std::string_view)> sink) && ZUS_LIFETIMEBOUND {
    return std::move(log(level, std::move(sink)));
  }

  /// Writes log lines up to `level` as events of a queue; instead of log(). While more than 131,072 wait, they are dropped.
  config& log_events(log_level level, const queue& to) & {
    const zus_code value = zus_config_set_events(get(), to.get(), static_cast<std::int32_t>(level));
    if (value == ZUS_OK) log_sink_.reset();
    return checked("log_events", value);
  }
  config&& log_events(log_level level, const queue& to) && ZUS_LIFETIMEBOUND { return std::move(log_events(level, to)); }

  /// Has tokens requested by events of a queue, instead of other credentials: reply with event::set_token. A thread that
  /// makes a blocking call can't take the request of that call: take events on another.
  config& token_events(const queue& to) & {
    const zus_code value = zus_config_set_events(get(), to.get(), ZUS_EVENTS_TOKEN);
    if (value == ZUS_OK) token_source_.reset();
    return checked("token_events", value);
  }
  config&& token_events(const queue& to) && ZUS_LIFETIMEBOUND { return std::move(token_events(to)); }

  /// Without exceptions: the first failure of a setter, or code::ok. With them always code::ok.
  zus::code code() const noexcept { return static_cast<zus::code>(code_); }

  /// The C handle, still owned by this. Null after a move.
  zus_config* get() const noexcept ZUS_LIFETIMEBOUND { return handle_.get(); }

 private:
  friend class client;

  // What the library found, with its reason.
  config& checked(const char* setter, zus_code value) {
    return value == ZUS_OK ? *this : failed(setter, value, zus_config_message(get()));
  }

  // What was found here: the library was not asked, so its last message is about something else.
  config& own(const char* setter, zus_code value, const char* reason = "") { return failed(setter, value, reason); }
  config& out_of_range(const char* setter) {
    return own(setter, ZUS_ERR_ARGUMENT, "a time is out of range: 1 ms to a day is allowed");
  }

  config& failed(const char* setter, zus_code value, const char* reason) {
#if ZUS_HPP_EXCEPTIONS
    throw error(static_cast<zus::code>(value), detail::what("zus::config::", setter, value, reason));
#else
    static_cast<void>(setter);
    static_cast<void>(reason);
    if (code_ == ZUS_OK) code_ = value;
    return *this;
#endif
  }

  static bool fits(std::chrono::milliseconds span) noexcept {
    return span.count() >= 0 && span.count() <= (std::numeric_limits<std::uint32_t>::max)();
  }
  static std::uint32_t count(std::chrono::milliseconds span) noexcept { return static_cast<std::uint32_t>(span.count()); }

  std::shared_ptr<detail::token_source> token_source_{};
  std::shared_ptr<detail::log_sink> log_sink_{};
  detail::handle<zus_config> handle_;
  zus_code code_ = ZUS_OK;
};

/// Cancels calls from another thread. Triggered once, it stays triggered.
class cancel {
 public:
  cancel() : handle_(zus_cancel_new()) {}

  /// Ends the calls that were given this, those that run now (within 100 ms) and those to come, with code::cancelled.
  /// From any thread; not from a signal handler.
  void trigger() const noexcept { zus_cancel_trigger(handle_.get()); }

  /// One that nobody triggers: the default of every call. Any other without a handle, as after a move, is code::null.
  static const cancel& never() noexcept { return detail::immortal<cancel>(nullptr); }

  /// The C handle, still owned by this. Null after a move.
  const zus_cancel* get() const noexcept ZUS_LIFETIMEBOUND { return handle_.get(); }

 private:
  friend class client;
  template <class T, class... Arguments>
  friend const T& detail::immortal(Arguments... arguments);
  explicit cancel(std::nullptr_t) noexcept : never_(true) {}
  bool usable() const noexcept { return handle_ || never_; }

  detail::handle<zus_cancel> handle_{};
  bool never_ = false;
};

/// The result of one user: borrowed by the callback of a batch, until it returns. Copy out what you keep.
class result_view {
 public:
  explicit result_view(const zus_result* borrowed) noexcept : result_view(borrowed, zus_result_code(borrowed)) {}

  zus::code code() const noexcept { return static_cast<zus::code>(code_); }

  /// True when it is done: Zoom accepted the update, or sent the user that was read.
  bool ok() const noexcept { return code_ == ZUS_OK; }
  explicit operator bool() const noexcept { return ok(); }

  /// The HTTP status code; 0 when no response came.
  int http_status() const noexcept { return handle_ ? zus_result_http_status(handle_) : 0; }

  /// Zoom's own error code, e.g. 1001; 0 for none.
  int zoom_code() const noexcept { return handle_ ? zus_result_zoom_code(handle_) : 0; }

  /// What went wrong, in words, Zoom's own among them; "" when nothing did.
  std::string_view message() const noexcept {
    if (handle_) return zus_result_message(handle_);
    return ok() ? std::string_view() : text(code());
  }

  /// The user that was asked for.
  std::string_view user_id() const noexcept { return handle_ ? zus_result_user_id(handle_) : ""; }

  /// Zoom's x-zm-trackingid, which their support asks for; "" for none.
  std::string_view tracking_id() const noexcept { return handle_ ? zus_result_tracking_id(handle_) : ""; }

  /// A header of the response, e.g. "x-ratelimit-remaining", whatever its case; "" for none.
  std::string_view header(text_arg name) const {
#if ZUS_HPP_EXCEPTIONS
    if (name.is_null())
      throw error(zus::code::null, detail::what("zus::result::", "header", ZUS_ERR_NULL, ""));
#endif
    return handle_ ? zus_result_header(handle_, detail::c_string(name).get()) : "";
  }

  /// The response's body as it came.
  std::string_view body() const noexcept {
    std::size_t length = 0;
    const char* bytes = handle_ ? zus_result_body(handle_, &length) : "";
    return {bytes, length};
  }

  /// How long Zoom asks to wait, counted from when the response came; nothing if it did not say.
  std::optional<std::chrono::seconds> retry_after() const noexcept {
    const std::int64_t seconds = handle_ ? zus_result_retry_after(handle_) : -1;
    if (seconds < 0) return std::nullopt;
    return std::chrono::seconds(seconds);
  }

  /// Attempts begun for this user, retries included: requests sent, and connections that failed.
  int attempts() const noexcept { return handle_ ? zus_result_attempts(handle_) : 0; }

  /// The user's status as read by get_user_status, or after an update by config::verify.
  zus::user_status user_status() const noexcept {
    return handle_ ? static_cast<zus::user_status>(zus_result_user_status(handle_)) : zus::user_status::unknown;
  }

  /// Whether the request may have reached Zoom.
  zus::delivery delivery() const noexcept {
    return handle_ ? static_cast<zus::delivery>(zus_result_delivery(handle_)) : zus::delivery::not_sent;
  }

  /// True for a failure that every further user of a batch would have too, such as a rejected token.
  bool is_fatal() const noexcept { return handle_ && zus_result_is_fatal(handle_) != 0; }

  /// The C handle, not owned. May be null.
  const zus_result* get() const noexcept { return handle_; }

 protected:
  result_view(const zus_result* borrowed, zus_code value) noexcept : handle_(borrowed), code_(value) {}
  void forget() noexcept { *this = result_view(nullptr, ZUS_ERR_NULL); }

 private:
  const zus_result* handle_;
  zus_code code_;
};

/// The result of a call. Move-only. It owns its strings: they live as long as it does.
class [[nodiscard]] result : public result_view {
 public:
  /// Takes over a C handle, which may be null, with the code of the call that gave it.
  result(zus_result* owned, zus_code value) noexcept : result_view(owned, value), owned_(owned) {}

  /// Takes over the result of an event. code::null for an event that has none.
  explicit result(event&& from) noexcept;

  result(result&& other) noexcept
      : result_view(other), owned_(std::move(other.owned_)), event_(std::move(other.event_)) {
    other.forget();
  }
  result& operator=(result&& other) noexcept {
    if (this != &other) {
      result_view::operator=(other);
      owned_ = std::move(other.owned_);
      event_ = std::move(other.event_);
      other.forget();
    }
    return *this;
  }

  // As in result_view, but of a handle that ends with this.
  std::string_view message() const noexcept ZUS_LIFETIMEBOUND { return result_view::message(); }
  std::string_view user_id() const noexcept ZUS_LIFETIMEBOUND { return result_view::user_id(); }
  std::string_view tracking_id() const noexcept ZUS_LIFETIMEBOUND { return result_view::tracking_id(); }
  std::string_view header(text_arg name) const ZUS_LIFETIMEBOUND { return result_view::header(name); }
  std::string_view body() const noexcept ZUS_LIFETIMEBOUND { return result_view::body(); }
  const zus_result* get() const noexcept ZUS_LIFETIMEBOUND { return result_view::get(); }

 private:
  // What the handle ends with: itself, or the event of a started call.
  detail::handle<zus_result> owned_{};
  detail::handle<zus_event> event_{};
};

/// One event of a queue. Move-only. Its strings live as long as it does.
class [[nodiscard]] event {
 public:
  /// Takes over a C handle, which may be null: then there was no event.
  explicit event(zus_event* owned) noexcept : handle_(owned) {}

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  event_kind kind() const noexcept { return static_cast<event_kind>(zus_event_kind(handle_.get())); }

  /// What the call was started with; null for an event that is not event_kind::result.
  void* userdata() const noexcept { return zus_event_userdata(handle_.get()); }

  /// The result of a started call, borrowed from the event. To keep it, `zus::result kept{std::move(event)}`.
  result_view result() const noexcept ZUS_LIFETIMEBOUND { return result_view(zus_event_result(handle_.get())); }

  /// The level and the text of a log line.
  zus::log_level log_level() const noexcept { return static_cast<zus::log_level>(zus_event_log_level(handle_.get())); }
  std::string_view message() const noexcept ZUS_LIFETIMEBOUND { return zus_event_message(handle_.get()); }

  /// True when the client needs a token because Zoom rejected the last one.
  bool token_rejected() const noexcept { return zus_event_token_rejected(handle_.get()) != 0; }

  /// Replies to event_kind::token. An event that ends without a reply tells the client that there is no token.
  /// code::argument for a malformed token, for a second reply, and for another kind of event.
  [[nodiscard]] zus::code set_token(text_arg token) {
    return static_cast<zus::code>(zus_event_set_token(handle_.get(), detail::c_string(token).get()));
  }

  /// The C handle, still owned by this. Null after a move.
  zus_event* get() const noexcept ZUS_LIFETIMEBOUND { return handle_.get(); }

 private:
  friend class zus::result;
  detail::handle<zus_event> handle_;
};

inline result::result(event&& from) noexcept : result_view(zus_event_result(from.get())), event_(std::move(from.handle_)) {}

inline event queue::next(std::chrono::milliseconds wait) const noexcept {
  return event(zus_queue_next(get(), detail::wait_ms(wait)));
}

/// How a batch ended, and how many of its users are done, failed, or not sent.
struct [[nodiscard]] summary {
  /// ok: all were done. partial: it ran to its end, and some failed. cancelled: it was stopped. Anything else is why it
  /// ended early: no token, a rejected token, a missing scope, the daily limit.
  zus::code code = zus::code::ok;
  std::size_t done = 0;    ///< Users with code::ok.
  std::size_t failed = 0;  ///< Users with another result.
  std::size_t not_sent = 0;  ///< Users for whom nothing was sent, nor the callback called.
  explicit operator bool() const noexcept { return code == zus::code::ok; }
};

namespace detail {

// The ids of a batch as the C array that the library takes: one block of text, and a pointer into it for each.
class id_list {
 public:
  void add(text_arg id) {
    offsets_.push_back(id.is_null() ? missing : text_.size());
    append(text_, id.view());
  }

  std::size_t size() const noexcept { return offsets_.size(); }

  std::vector<const char*> pointers() const {
    std::vector<const char*> all;
    all.reserve(offsets_.size() + 1);
    for (const std::size_t at : offsets_) all.push_back(at == missing ? nullptr : text_.data() + at);
    if (all.empty()) all.push_back(nullptr);  // an empty array still has an address
    return all;
  }

 private:
  static constexpr std::size_t missing = (std::numeric_limits<std::size_t>::max)();
  std::string text_{};
  std::vector<std::size_t> offsets_{};
};

// Calls fn(index, result) or fn(result); bool says whether to go on.
template <class Fn>
bool goes_on(Fn& fn, std::size_t index, const result_view& view) {
  constexpr bool with_index = std::is_invocable_v<Fn&, std::size_t, const result_view&>;
  static_assert(with_index || std::is_invocable_v<Fn&, const result_view&>,
                "the callback takes (std::size_t index, const zus::result_view&) or (const zus::result_view&)");
  auto call = [&]() -> decltype(auto) {
    if constexpr (with_index) {
      return fn(index, view);
    } else {
      return fn(view);
    }
  };
  if constexpr (std::is_void_v<decltype(call())>) {
    call();
    return true;
  } else {
    static_assert(std::is_same_v<std::decay_t<decltype(call())>, bool>,
                  "the callback returns nothing, or a bool: true to go on, false to stop");
    return call();
  }
}

template <class Fn>
struct batch {
  Fn& fn;
  summary& so_far;
  std::exception_ptr thrown{};

  static std::int32_t call(void* self, std::size_t index, const zus_result* borrowed) noexcept {
    return static_cast<batch*>(self)->one(index, result_view(borrowed)) ? 0 : 1;
  }

  bool one(std::size_t index, const result_view& view) noexcept {
    ++(view.ok() ? so_far.done : so_far.failed);
    --so_far.not_sent;
#if ZUS_HPP_EXCEPTIONS
    try {
      return goes_on(fn, index, view);
    } catch (...) {
      if (!thrown) thrown = std::current_exception();
      return false;
    }
#else
    return goes_on(fn, index, view);
#endif
  }
};

// A started call: what is called with its result, by a future that hears of it or by the caller's function.
struct started_call {
  std::function<void(result)> done;
  const zus_client* client;
  bool is_callers;
};

// What a future gets: the result, or what the blocking call would throw.
class future_result {
 public:
  explicit future_result(std::shared_ptr<token_source> tokens) : tokens_(std::move(tokens)) {}

  std::future<result> future() { return promise_->get_future(); }

  void operator()(result got) const {
#if ZUS_HPP_EXCEPTIONS
    const auto value = static_cast<zus_code>(got.code());
    if (value == ZUS_ERR_TOKEN && tokens_) {
      if (auto thrown = tokens_->last_thrown()) return promise_->set_exception(thrown);
    }
    if (is_usage_error(value))
      return promise_->set_exception(std::make_exception_ptr(error(got.code(), std::string(got.message()))));
#endif
    promise_->set_value(std::move(got));
  }

 private:
  std::shared_ptr<std::promise<result>> promise_ = std::make_shared<std::promise<result>>();
  std::shared_ptr<token_source> tokens_;
};

// The one thread that reads the events of calls that were started with a future or a function. It is made by the first of
// them, and lives as long as the process, since nobody knows when the last comes. A child of fork() makes its own.
class reader {
 public:
  // This process's, or null when it has none yet.
  static reader* existing() noexcept {
    reader* const made = current().load();
    return made != nullptr && made->process_ == this_process() ? made : nullptr;
  }

  static reader& get() {
    reader* before = current().load();
    while (before == nullptr || before->process_ != this_process()) {
      auto made = std::unique_ptr<reader>(new reader(before));
      if (current().compare_exchange_strong(before, made.get())) {
        // Destructors of statics that are older than this run after it.
        static_cast<void>(std::atexit([] {
          if (reader* const ours = existing()) ours->close();
        }));
        return *made.release();
      }
    }
    return *before;
  }

  // Starts a call. The function is called unless this fails.
  template <class Start>
  zus_code start(std::unique_ptr<started_call> call, Start&& with) {
    const zus_client* const client = call->client;
    const bool counts = call->is_callers;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (closed_ && counts) return ZUS_ERR_CANCELLED;
      if (!has_thread()) return ZUS_ERR_NO_THREAD;
      if (counts) ++functions_[client];
    }
    const zus_code value = with(queue_.get(), call.get());
    if (value == ZUS_OK)
      static_cast<void>(call.release());  // the event has it
    else if (counts)
      forget(client);
    return value;
  }

  // Waits until every function of this client's calls was called, or never will be. Not on the reading thread, where one
  // may be running.
  void wait_for(const zus_client* client) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (std::this_thread::get_id() == thread_) return;
    ended_.wait(lock, [&] { return functions_.count(client) == 0; });
  }

 private:
  explicit reader(reader* before) noexcept { static_cast<void>(parents_ = before); }

  static std::atomic<reader*>& current() noexcept {
    static std::atomic<reader*> made{nullptr};
    return made;
  }

#ifdef _WIN32
  using process_id = int;
  static process_id this_process() noexcept { return 0; }
#else
  using process_id = ::pid_t;
  static process_id this_process() noexcept { return ::getpid(); }
#endif

  bool has_thread() { return thread_ != std::thread::id() || make_thread(); }

  bool make_thread() {
    thread_ = std::thread::id();
#ifndef _WIN32
    // Signals are the program's to receive, on threads of its own.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
#endif
#if ZUS_HPP_EXCEPTIONS
    try {
#endif
      std::thread made([this] { read(); });
      thread_ = made.get_id();
      made.detach();
#if ZUS_HPP_EXCEPTIONS
    } catch (const std::system_error&) {
    }
#endif
#ifndef _WIN32
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
#endif
    return thread_ != std::thread::id();
  }

  // What a function throws ends the process, as on any thread.
  [[noreturn]] void read() noexcept {
    for (;;) {
      event next = queue_.next(std::chrono::hours(24));
      if (!next) continue;
      std::unique_ptr<started_call> call(static_cast<started_call*>(next.userdata()));
      if (!call->is_callers) {
        call->done(result(std::move(next)));
        continue;
      }
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (closed_) {  // nor is what it captured destroyed: it may need statics that are gone
          kept_.push_back(std::move(call));
          continue;
        }
        runs_ = true;
      }
      const zus_client* const client = call->client;
      call->done(result(std::move(next)));
      call.reset();
      forget(client, true);
    }
  }

  void forget(const zus_client* client, bool ran = false) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (ran) runs_ = false;
    const auto left = functions_.find(client);
    if (left != functions_.end() && --left->second == 0) functions_.erase(left);
    ended_.notify_all();
  }

  // The program exits: no function begins any more, and one that runs has a second to end. Futures go on, for destructors
  // that wait for one: on another thread, where a function called exit().
  void close() noexcept {
    std::unique_lock<std::mutex> lock(mutex_);
    closed_ = true;
    if (std::this_thread::get_id() == thread_)
      static_cast<void>(make_thread());
    else
      ended_.wait_for(lock, std::chrono::seconds(1), [this] { return !runs_; });
    functions_.clear();
    ended_.notify_all();
  }

  const process_id process_ = this_process();
  reader* parents_ = nullptr;  // of before a fork(): kept, so that nobody takes it for lost
  queue queue_{};
  std::mutex mutex_{};
  std::condition_variable ended_{};
  std::thread::id thread_{};
  std::unordered_map<const zus_client*, std::size_t> functions_{};  // by client, those that are still to be called
  std::vector<std::unique_ptr<started_call>> kept_{};
  bool runs_ = false;
  bool closed_ = false;
};

}  // namespace detail

/// Calls Zoom. Made once, shared by all threads, kept as long as needed: it keeps connections, tokens and the rate.
/// No blocking call may be running on it when it is destroyed or moved from. Calls that were started may: see ~client.
class client {
  // To the C library no cancel means: never. One that was moved away or could not be made must not.
  zus_code ready(const cancel& stop) const noexcept {
    if (code_ != ZUS_OK) return code_;
    return stop.usable() ? ZUS_OK : ZUS_ERR_NULL;
  }

  // Each starts its call, with its event to come to a queue.
  auto update_of(text_arg user_id, action what, const cancel& stop) const {
    return [this, user_id, what, &stop](const zus_queue* to, void* userdata) {
      const zus_code value = ready(stop);
      if (value != ZUS_OK) return value;
      return zus_update_status_start(get(), detail::c_string(user_id).get(), static_cast<zus_action>(what), stop.get(), to,
                                     userdata);
    };
  }
  auto read_of(text_arg user_id, const cancel& stop) const {
    return [this, user_id, &stop](const zus_queue* to, void* userdata) {
      const zus_code value = ready(stop);
      if (value != ZUS_OK) return value;
      return zus_get_user_status_start(get(), detail::c_string(user_id).get(), stop.get(), to, userdata);
    };
  }
  auto check_of(const cancel& stop) const {
    return [this, &stop](const zus_queue* to, void* userdata) {
      const zus_code value = ready(stop);
      if (value != ZUS_OK) return value;
      return zus_check_credentials_start(get(), stop.get(), to, userdata);
    };
  }

 public:
  /// Copies the configuration; sends nothing. Throws zus::error, with code::credentials when none are set.
  explicit client(const config& from) : token_source_(from.token_source_), log_sink_(from.log_sink_), code_(from.code_) {
    zus_client* made = nullptr;
    if (code_ == ZUS_OK) code_ = zus_client_new(from.get(), &made);
    handle_.reset(made);
#if ZUS_HPP_EXCEPTIONS
    if (code_ != ZUS_OK)
      throw error(static_cast<zus::code>(code_), detail::what("zus::", "client", code_, zus_config_message(from.get())));
#endif
  }

  client(client&& other) noexcept
      : token_source_(std::move(other.token_source_)),
        log_sink_(std::move(other.log_sink_)),
        handle_(std::move(other.handle_)),
        code_(std::exchange(other.code_, ZUS_ERR_NULL)) {}
  client& operator=(client&& other) noexcept {
    if (this != &other) {
      end();
      handle_ = std::move(other.handle_);  // frees the old client before the callbacks it may call
      token_source_ = std::move(other.token_source_);
      log_sink_ = std::move(other.log_sink_);
      code_ = std::exchange(other.code_, ZUS_ERR_NULL);
    }
    return *this;
  }

  /// Cancels the calls that were started and have not ended. Futures become ready with code::cancelled. Afterwards no
  /// function of yours runs for this client: it waits for its token provider and its log function where one runs, and until
  /// the functions of started calls were called (but not on the thread that calls them).
  ~client() { end(); }

  /// Sets a user's status, and waits for the response. `user_id` is an ID or an e-mail address, without leading or
  /// trailing whitespace.
  /// @param stop ends the call with code::cancelled when it is triggered.
  /// @return Zoom's response, or the network's failure.
  /// @throws zus::error for a usage error (code 1 to 19), and whatever the token provider throws.
  result update(text_arg user_id, action what, const cancel& stop = cancel::never()) const {
    zus_result* made = nullptr;
    zus_code value = ready(stop);
    if (value == ZUS_OK)
      value = zus_update_status(get(), detail::c_string(user_id).get(), static_cast<zus_action>(what), stop.get(), &made);
    return checked(result(made, value), value);
  }

  /// update(user_id, action::activate)
  result activate(text_arg user_id, const cancel& stop = cancel::never()) const {
    return update(user_id, action::activate, stop);
  }
  /// update(user_id, action::deactivate)
  result deactivate(text_arg user_id, const cancel& stop = cancel::never()) const {
    return update(user_id, action::deactivate, stop);
  }
  /// update(user_id, action::clock_in)
  result clock_in(text_arg user_id, const cancel& stop = cancel::never()) const {
    return update(user_id, action::clock_in, stop);
  }
  /// update(user_id, action::clock_out)
  result clock_out(text_arg user_id, const cancel& stop = cancel::never()) const {
    return update(user_id, action::clock_out, stop);
  }

  /// Reads a user, and waits for the response: result_view::user_status() is active, inactive or pending, and body() the
  /// rest as JSON. Needs a scope that reads users, or the code is code::forbidden. Otherwise like update.
  result get_user_status(text_arg user_id, const cancel& stop = cancel::never()) const {
    zus_result* made = nullptr;
    zus_code value = ready(stop);
    if (value == ZUS_OK) value = zus_get_user_status(get(), detail::c_string(user_id).get(), stop.get(), &made);
    return checked(result(made, value), value);
  }

  /// Obtains a token, and touches nobody. The result's body() is the token response's JSON without the token: its scopes,
  /// its lifetime in seconds. It is "" for a static token or a provider, of which nothing is known before a call.
  result check_credentials(const cancel& stop = cancel::never()) const {
    zus_result* made = nullptr;
    zus_code value = ready(stop);
    if (value == ZUS_OK) value = zus_check_credentials(get(), stop.get(), &made);
    return checked(result(made, value), value);
  }

  /// Starts update(), and returns at once. The future gets what update() would return or throw, also when nothing could be
  /// started (code::queue_full, code::no_thread). A future that is dropped waits for nothing. Calls begin in order, at
  /// most config::concurrency at once; the time that a call waits for one of these places does not count as its time.
  std::future<result> update_async(text_arg user_id, action what, const cancel& stop = cancel::never()) const {
    return promised(update_of(user_id, what, stop));
  }

  /// Starts update(), and returns at once. `done` is called once, with any result, usage errors too, on the one thread that
  /// calls all such functions: keep it short, and let it not wait for another of them. It may start calls. What it throws
  /// ends the process (std::terminate), as on any thread. It is not called any more once the program exits.
  /// @return code::ok, or why nothing was started and `done` is not called: code::queue_full, code::no_thread, and
  /// code::cancelled while the program exits.
  /// @throws zus::error for a usage error that is found before the call starts: null, utf8, forked.
  [[nodiscard]] zus::code update_async(text_arg user_id, action what, std::function<void(result)> done,
                                       const cancel& stop = cancel::never()) const {
    return called("update_async", std::move(done), update_of(user_id, what, stop));
  }

  /// update_async(user_id, action::activate)
  std::future<result> activate_async(text_arg user_id, const cancel& stop = cancel::never()) const {
    return update_async(user_id, action::activate, stop);
  }
  [[nodiscard]] zus::code activate_async(text_arg user_id, std::function<void(result)> done,
                                    const cancel& stop = cancel::never()) const {
    return update_async(user_id, action::activate, std::move(done), stop);
  }

  /// update_async(user_id, action::deactivate)
  std::future<result> deactivate_async(text_arg user_id, const cancel& stop = cancel::never()) const {
    return update_async(user_id, action::deactivate, stop);
  }
  [[nodiscard]] zus::code deactivate_async(text_arg user_id, std::function<void(result)> done,
                                    const cancel& stop = cancel::never()) const {
    return update_async(user_id, action::deactivate, std::move(done), stop);
  }

  /// update_async(user_id, action::clock_in)
  std::future<result> clock_in_async(text_arg user_id, const cancel& stop = cancel::never()) const {
    return update_async(user_id, action::clock_in, stop);
  }
  [[nodiscard]] zus::code clock_in_async(text_arg user_id, std::function<void(result)> done,
                                    const cancel& stop = cancel::never()) const {
    return update_async(user_id, action::clock_in, std::move(done), stop);
  }

  /// update_async(user_id, action::clock_out)
  std::future<result> clock_out_async(text_arg user_id, const cancel& stop = cancel::never()) const {
    return update_async(user_id, action::clock_out, stop);
  }
  [[nodiscard]] zus::code clock_out_async(text_arg user_id, std::function<void(result)> done,
                                    const cancel& stop = cancel::never()) const {
    return update_async(user_id, action::clock_out, std::move(done), stop);
  }

  /// Starts get_user_status(). Otherwise like update_async.
  std::future<result> get_user_status_async(text_arg user_id, const cancel& stop = cancel::never()) const {
    return promised(read_of(user_id, stop));
  }
  [[nodiscard]] zus::code get_user_status_async(text_arg user_id, std::function<void(result)> done,
                                                const cancel& stop = cancel::never()) const {
    return called("get_user_status_async", std::move(done), read_of(user_id, stop));
  }

  /// Starts check_credentials(). Otherwise like update_async.
  std::future<result> check_credentials_async(const cancel& stop = cancel::never()) const {
    return promised(check_of(stop));
  }
  [[nodiscard]] zus::code check_credentials_async(std::function<void(result)> done,
                                                  const cancel& stop = cancel::never()) const {
    return called("check_credentials_async", std::move(done), check_of(stop));
  }

  /// Starts update(), and returns at once. Exactly one event with this userdata reaches the queue, also when the call is
  /// cancelled or an argument is not allowed. For programs with an event loop of their own: no thread of zus.hpp is used.
  /// @return code::ok, or why nothing was started: code::queue_full, code::no_thread.
  /// @throws zus::error for a usage error that is found before the call starts: null, utf8, forked.
  [[nodiscard]] zus::code update_start(text_arg user_id, action what, const queue& to, void* userdata = nullptr,
                                       const cancel& stop = cancel::never()) const {
    return started("update_start", update_of(user_id, what, stop)(to.get(), userdata));
  }

  /// Starts get_user_status(). Otherwise like update_start.
  [[nodiscard]] zus::code get_user_status_start(text_arg user_id, const queue& to, void* userdata = nullptr,
                                                const cancel& stop = cancel::never()) const {
    return started("get_user_status_start", read_of(user_id, stop)(to.get(), userdata));
  }

  /// Starts check_credentials(). Otherwise like update_start.
  [[nodiscard]] zus::code check_credentials_start(const queue& to, void* userdata = nullptr,
                                                  const cancel& stop = cancel::never()) const {
    return started("check_credentials_start", check_of(stop)(to.get(), userdata));
  }

  /// Cancels every call that was started, and waits for up to `wait` until none runs: then no token provider and no log
  /// function runs for them any more. Their results still come. True when none runs. Not from such a function.
  bool cancel_started(std::chrono::milliseconds wait) const noexcept {
    return zus_client_cancel_started(get(), detail::wait_ms(wait)) != 0;
  }

  /// Stops the calls that were started with this cancel, as a batch stops: one that has sent nothing ends with
  /// code::cancelled and 0 attempts, one that is in flight finishes.
  void stop_started(const cancel& stop) const noexcept { zus_client_stop_started(get(), stop.get()); }

  /// Sets the status of many users: within the rate limit, several in flight, and waits for the last.
  ///
  ///     auto all = zoom.update_many(leavers, zus::action::deactivate, [](const zus::result_view& user) {
  ///       std::cout << user.user_id() << ' ' << user.code() << std::endl;
  ///     });
  ///
  /// `ids` is any range of what converts to std::string_view; it is read once, before the first request.
  /// `each` is called on this thread as each user ends, in any order, as each(index, result_view) or each(result_view).
  /// It returns nothing, or a bool: false stops the batch. A user for whom it is not called was never sent. An ID
  /// that can't be sent (empty, leading or trailing whitespace) gets its call with that code, and the batch goes on.
  /// What `each` throws stops the batch and is rethrown unchanged after it; until then `each` is still called for the
  /// users in flight, so that none that was sent goes unreported. It must not call this client (code::reentrant).
  /// @throws zus::error for a usage error that concerns the whole batch, and whatever the token provider throws.
  template <class Range, class Fn>
  summary update_many(Range&& ids, action what, Fn&& each, const cancel& stop = cancel::never()) const {
    return run(listed(std::forward<Range>(ids)), each, stop, updates{what});
  }

  /// The same for users in braces: `update_many({one, another}, ...)`.
  template <class Fn>
  summary update_many(std::initializer_list<text_arg> ids, action what, Fn&& each,
                      const cancel& stop = cancel::never()) const {
    return run(listed(ids), each, stop, updates{what});
  }

  /// Reads many users. Otherwise like update_many, with results like those of get_user_status.
  template <class Range, class Fn>
  summary get_user_status_many(Range&& ids, Fn&& each, const cancel& stop = cancel::never()) const {
    return run(listed(std::forward<Range>(ids)), each, stop, &zus_get_user_status_many);
  }

  /// The same for users in braces.
  template <class Fn>
  summary get_user_status_many(std::initializer_list<text_arg> ids, Fn&& each, const cancel& stop = cancel::never()) const {
    return run(listed(ids), each, stop, &zus_get_user_status_many);
  }

  /// Without exceptions: why this client is empty, or code::ok. After a move code::null.
  zus::code code() const noexcept { return static_cast<zus::code>(code_); }
  explicit operator bool() const noexcept { return handle_ != nullptr; }

  /// The C handle, still owned by this. Null after a move.
  const zus_client* get() const noexcept ZUS_LIFETIMEBOUND { return handle_.get(); }

 private:
  template <class Start>
  std::future<result> promised(Start&& start) const {
    detail::future_result promise(token_source_);
    auto future = promise.future();
    const zus_code value = read_by_thread(promise, false, start);
    if (value != ZUS_OK) promise(result(nullptr, value));
    return future;
  }

  template <class Start>
  zus::code called(const char* function, std::function<void(result)> done, Start&& start) const {
    if (!done) return started(function, ZUS_ERR_NULL);
    return started(function, read_by_thread(std::move(done), true, start));
  }

  template <class Start>
  zus_code read_by_thread(std::function<void(result)> done, bool is_callers, Start&& start) const {
    if (code_ != ZUS_OK) return code_;
    auto call = std::make_unique<detail::started_call>();
    call->done = std::move(done);
    call->client = get();
    call->is_callers = is_callers;
    return detail::reader::get().start(std::move(call), start);
  }

  static zus::code started(const char* function, zus_code value) {
#if ZUS_HPP_EXCEPTIONS
    if (detail::is_usage_error(value))
      throw error(static_cast<zus::code>(value), detail::what("zus::client::", function, value, ""));
#else
    static_cast<void>(function);
#endif
    return static_cast<zus::code>(value);
  }

  // No function of the caller's runs afterwards.
  void end() noexcept {
    if (!handle_) return;
    const bool is_inside = (token_source_ && token_source_->inside.is_here()) || (log_sink_ && log_sink_->inside.is_here());
    if (is_inside) {  // which never returns: the program exits from there
      static_cast<void>(handle_.release());
      return;
    }
    detail::reader* const reader = detail::reader::existing();
    if (token_source_ || log_sink_ || reader != nullptr) static_cast<void>(cancel_started(std::chrono::hours(24)));
    if (reader != nullptr) reader->wait_for(get());
  }

  result checked(result got, zus_code value) const {
#if ZUS_HPP_EXCEPTIONS
    rethrow_from_provider(value);
    if (detail::is_usage_error(value)) throw error(static_cast<zus::code>(value), std::string(got.message()));
#else
    static_cast<void>(value);
#endif
    return got;
  }

  struct updates {
    action what;
    zus_code operator()(const zus_client* client, const char* const* ids, std::size_t count, const zus_cancel* stop,
                        zus_result_fn each, void* userdata) const noexcept {
      return zus_update_status_many(client, ids, count, static_cast<zus_action>(what), stop, each, userdata);
    }
  };

  template <class Range>
  static detail::id_list listed(Range&& ids) {
    detail::id_list list;
    for (auto&& id : ids) {
      using element = std::decay_t<decltype(id)>;
      static_assert(std::is_convertible_v<decltype(id), std::string_view> || std::is_same_v<element, text_arg>,
                    "the ids are strings, or convert to std::string_view");
      list.add(id);
    }
    return list;
  }

  template <class Fn, class Call>
  summary run(const detail::id_list& list, Fn& each, const cancel& stop, Call call) const {
    summary end;
    end.not_sent = list.size();
    detail::batch<Fn> batch{each, end};
    const auto ids = list.pointers();
    zus_code value = ready(stop);
    if (value == ZUS_OK) value = call(get(), ids.data(), list.size(), stop.get(), &detail::batch<Fn>::call, &batch);
    end.code = static_cast<zus::code>(value);
#if ZUS_HPP_EXCEPTIONS
    if (batch.thrown) std::rethrow_exception(batch.thrown);
    rethrow_from_provider(value);
    if (detail::is_usage_error(value)) throw error(end.code, zus_code_text(value));
#endif
    return end;
  }

#if ZUS_HPP_EXCEPTIONS
  void rethrow_from_provider(zus_code value) const {
    if (value != ZUS_ERR_TOKEN || !token_source_) return;
    if (auto thrown = token_source_->last_thrown()) std::rethrow_exception(thrown);
  }
#endif

  // The handle is last, so freed first: it may log as it goes.
  std::shared_ptr<detail::token_source> token_source_;
  std::shared_ptr<detail::log_sink> log_sink_;
  detail::handle<zus_client> handle_{};
  zus_code code_;
};

}  // inline namespace throwing or nothrow
}  // namespace zus

/// A zus::code is a std::error_code, in the category zus::category().
template <>
struct std::is_error_code_enum<zus::code> : std::true_type {};

#endif
