// zus.hpp against the sandbox: values, exceptions, ownership, ranges and lambdas.
#include <atomic>
#include <deque>
#include <iomanip>
#include <iterator>
#include <list>
#include <map>
#include <set>
#include <sstream>

#include "../c/check.h"
#include "../c/sandbox.h"
#include "zus.hpp"

#if __cplusplus >= 202002L && !(defined(__clang__) && __clang_major__ < 16)  // older clangs can't compile libstdc++'s
#  include <ranges>
#endif

using namespace std::chrono_literals;
using std::string;
using std::string_view;

namespace {

// Ownership, as the compiler sees it.
template <class T>
constexpr bool move_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
                           !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(move_only<zus::client>);
static_assert(move_only<zus::result>);
static_assert(move_only<zus::cancel>);
static_assert(move_only<zus::config>);
static_assert(std::is_trivially_copyable_v<zus::result_view>);
static_assert(!std::is_convertible_v<zus::result, bool>);  // only where a condition is meant
static_assert(std::is_base_of_v<std::invalid_argument, zus::error>);

zus::config config_for_cpp(const sandbox& box) {
  return zus::config().token("sandbox-token").api_url(box.api).oauth_url(box.oauth).rate(0).retry(1, 1ms, 1ms);
}

// The code of the zus::error that f throws; ok when it throws none.
template <class F>
zus::code thrown_by(F&& f) {
  try {
    f();
  } catch (const zus::error& mistake) {
    CHECK(*mistake.what() != '\0');
    return mistake.code();
  }
  return zus::code::ok;
}

#define CHECK_THROWS(expected, ...)                                                                \
  check_text(string(zus::name(thrown_by([&] { static_cast<void>(__VA_ARGS__); }))).c_str(),        \
             string(zus::name(expected)).c_str(), __FILE__, __LINE__, #__VA_ARGS__)
#define CHECK_IS(actual, expected)                                                                 \
  check_text(string(zus::name(actual)).c_str(), string(zus::name(expected)).c_str(), __FILE__, __LINE__, #actual)

struct spelled {  // a type of the caller's that converts
  string text;
  operator string_view() const { return text; }
};

void results(const sandbox& box) {
  const zus::client zoom{config_for_cpp(box)};
  test("a result is a value: done");
  const auto done = zoom.deactivate("ada@example.com");
  CHECK(done);
  CHECK(done.ok());
  CHECK_IS(done.code(), zus::code::ok);
  CHECK_NUMBER(done.http_status(), 204);
  CHECK_NUMBER(done.attempts(), 1);
  CHECK(done.message().empty());
  CHECK(done.body().empty());
  CHECK(!done.retry_after());

  test("a result is a value: not done");
  const auto refused = zoom.update("nobody@example.com", zus::action::activate);
  CHECK(!refused);
  CHECK_IS(refused.code(), zus::code::user_not_found);
  CHECK_NUMBER(refused.http_status(), 404);
  CHECK_NUMBER(refused.zoom_code(), 1001);
  CHECK(refused.user_id() == "nobody@example.com");
  CHECK(refused.message().find("User does not exist") != string_view::npos);
  CHECK(refused.tracking_id().substr(0, 6) == "v=2.0;");
  CHECK(refused.header("x-ratelimit-category") == "Light");
  CHECK(refused.header("no-such-header").empty());
  CHECK(refused.body().find("\"code\":1001") != string_view::npos);
  CHECK(refused.body().size() == std::strlen(refused.body().data()));

  test("delivery says whether a request may have reached Zoom");
  CHECK(done.delivery() == zus::delivery::responded);
  CHECK(refused.delivery() == zus::delivery::responded);
  CHECK((zus::client{config_for_cpp(box).api_url("http://127.0.0.1:1/v2")}.deactivate("ada@example.com").delivery()) ==
        zus::delivery::not_sent);
  CHECK(done.user_status() == zus::user_status::unknown);  // an update doesn't read it

  test("users are read, one or many");
  CHECK_THROWS(zus::code::argument, zoom.get_user_status(" ada@example.com"));
  const auto read = zoom.get_user_status("ada@example.com");
  CHECK(read.user_id() == "ada@example.com" && read.delivery() == zus::delivery::responded);
  int reads = 0;
  const auto all = zoom.get_user_status_many({"ada@example.com", "linus@example.com"}, [&](const zus::result_view& user) {
    ++reads;
    CHECK_IS(user.code(), read.code());
  });
  CHECK(reads + static_cast<int>(all.not_sent) == 2);
  const std::vector<string> ids{"ada@example.com"};
  static_cast<void>(zoom.get_user_status_many(ids, [&](std::size_t index, const zus::result_view& user) {
    CHECK(index == 0 && user.user_id() == ids[index]);
  }));

  test("retry_after is seconds");
  const auto limit = zoom.deactivate("answer-429-daily@example.com");
  CHECK_IS(limit.code(), zus::code::daily_limit);
  CHECK(limit.retry_after() && *limit.retry_after() <= 24h);

  test("every action reaches the wire");
  CHECK(zoom.activate("linus@example.com"));
  CHECK(zoom.clock_in("linus@example.com"));
  CHECK(zoom.clock_out("linus@example.com"));
  CHECK(zoom.deactivate("linus@example.com"));
  CHECK_NUMBER(ledger(&box, "linus@example.com", "received"), 4);

  test("a string_view into a longer text is cut where it ends");
  const string_view line = "ada@example.com;grace@example.com";
  CHECK(zoom.deactivate(line.substr(0, 15)));
  CHECK_NUMBER(ledger(&box, "ada@example.com", "received"), 2);

  test("an id in each kind of string");
  char array[] = "ada@example.com";
  const string text = array;
  CHECK(zoom.deactivate(array));
  CHECK(zoom.deactivate(static_cast<char*>(array)));
  CHECK(zoom.deactivate(static_cast<const char*>(array)));
  CHECK(zoom.deactivate(text));
  CHECK(zoom.deactivate(string(text)));
  CHECK(zoom.deactivate(spelled{text}));
  CHECK_NUMBER(ledger(&box, "ada@example.com", "received"), 8);

  test("a connection that failed is an attempt");
  const auto refused_connection = zus::client{config_for_cpp(box).api_url("http://127.0.0.1:1/v2").retry(2, 1ms, 1ms)}.deactivate("ada@example.com");
  CHECK_IS(refused_connection.code(), zus::code::connect);
  CHECK_NUMBER(refused_connection.attempts(), 2);
}

void mistakes(const sandbox& box) {
  const zus::client zoom{config_for_cpp(box)};
  const long before = ledger(&box, nullptr, "requests");
  test("a usage error in a call throws");
  CHECK_THROWS(zus::code::argument, zoom.deactivate(""));
  CHECK_THROWS(zus::code::argument, zoom.deactivate(" ada@example.com"));
  CHECK_THROWS(zus::code::argument, zoom.deactivate(".."));
  CHECK_THROWS(zus::code::utf8, zoom.deactivate("ada\xFF"));
  CHECK_THROWS(zus::code::argument, zoom.update("ada@example.com", static_cast<zus::action>(9)));
  CHECK_THROWS(zus::code::argument, zoom.update_many({"ada@example.com"}, static_cast<zus::action>(9), [](const zus::result_view&) {}));
  test("a NUL inside an id does not make it another user's");
  CHECK_THROWS(zus::code::argument, zoom.deactivate(string_view("ada@example.com\0.evil", 21)));
  CHECK_NUMBER(ledger(&box, nullptr, "requests"), before);

  test("NULL for a string throws: getenv of a variable that is not set");
  const char* const unset = nullptr;
  char* const unset_too = nullptr;
  CHECK_THROWS(zus::code::null, zoom.deactivate(unset));
  CHECK_THROWS(zus::code::null, zoom.deactivate(unset_too));
  CHECK_THROWS(zus::code::null, zoom.deactivate(nullptr));
  CHECK_THROWS(zus::code::null, zoom.update(unset, zus::action::activate));
  CHECK_THROWS(zus::code::null, zoom.deactivate("ada@example.com").header(unset));
  zus::config null = config_for_cpp(box);
  CHECK_THROWS(zus::code::null, null.token(unset));
  CHECK_THROWS(zus::code::null, null.oauth("account", "client", unset));
  CHECK_THROWS(zus::code::null, null.api_url(unset));
  CHECK_THROWS(zus::code::null, null.oauth_url(unset));
  CHECK_THROWS(zus::code::null, null.proxy(unset));
  CHECK_THROWS(zus::code::null, null.ca_pem(unset));
  CHECK_THROWS(zus::code::null, null.user_agent(unset));
  test("an empty string is no NULL");
  CHECK_THROWS(zus::code::argument, zoom.deactivate(string_view()));
  CHECK_THROWS(zus::code::argument, null.ca_pem(string_view()));
  CHECK(zus::client{null.proxy(string_view())}.deactivate("answer-204+empty@example.com"));

  test("a usage error in a setter throws, and the value stays as it was");
  zus::config config = config_for_cpp(box);
  CHECK_THROWS(zus::code::argument, config.token(""));
  CHECK_THROWS(zus::code::argument, config.token("two words"));
  CHECK_THROWS(zus::code::utf8, config.token("\xFF"));
  CHECK_THROWS(zus::code::argument, config.oauth("account", "", "secret"));
  CHECK_THROWS(zus::code::argument, config.api_url("http://api.zoom.us/v2"));
  CHECK_THROWS(zus::code::argument, config.oauth_url("nonsense"));
  CHECK_THROWS(zus::code::argument, config.encoding(static_cast<zus::encoding>(7)));
  CHECK_THROWS(zus::code::argument, config.timeouts(0ms, 1s));
  CHECK_THROWS(zus::code::argument, config.timeouts(-1ms, 1s));
  CHECK_THROWS(zus::code::argument, config.timeouts(1s, 24h * 365));
  CHECK_THROWS(zus::code::argument, config.attempt_timeout(-1ms));
  CHECK_THROWS(zus::code::argument, config.attempt_timeout(25h));
  CHECK_THROWS(zus::code::argument, config.verify(-1ms));
  CHECK_THROWS(zus::code::argument, config.verify(25h));
  config.attempt_timeout(5s).attempt_timeout(0s).verify(1s).verify(0s);
  CHECK_THROWS(zus::code::argument, config.retry(0, 1ms, 1ms));
  CHECK_THROWS(zus::code::argument, config.retry(1, -1ms, 1ms));
  CHECK_THROWS(zus::code::argument, config.rate(30, 0ms));
  CHECK_THROWS(zus::code::argument, config.rate(30, -5ms));
  CHECK_THROWS(zus::code::argument, config.concurrency(0));
  CHECK_THROWS(zus::code::argument, config.proxy("gopher://x"));
  CHECK_THROWS(zus::code::argument, config.ca_pem("no PEM"));
  CHECK_THROWS(zus::code::argument, config.ca_pem(""));
  CHECK_THROWS(zus::code::argument, config.user_agent("a\nb"));
  CHECK_THROWS(zus::code::argument, config.log(static_cast<zus::log_level>(9), [](zus::log_level, string_view) {}));
  CHECK_THROWS(zus::code::null, config.log(zus::log_level::info, nullptr));
  CHECK_THROWS(zus::code::null, config.token_provider(nullptr));
  CHECK_IS(config.code(), zus::code::ok);
  CHECK(zus::client{config}.deactivate("answer-204+config@example.com"));

  test("what() says which setter, and no secret");
  try {
    config.oauth("account", "client", "hu\nsh");
    CHECK(false);
  } catch (const std::invalid_argument& mistake) {
    CHECK_CONTAINS(mistake.what(), "oauth");
    CHECK(string(mistake.what()).find("sh") == string::npos);
  }
  test("what() says why this call failed, not why an earlier one did");
  const auto what = [](auto&& f) -> string {
    try {
      static_cast<void>(f());
    } catch (const zus::error& mistake) {
      return mistake.what();
    }
    return "nothing was thrown";
  };
  const auto library = [&] { return what([&] { return &config.user_agent("a\nb"); }); };
  const string found_by_library = library();
  CHECK_CONTAINS(found_by_library.c_str(), "zus::config::user_agent: ");
  CHECK_CONTAINS(found_by_library.c_str(), zus_config_message(config.get()));
  for (const string& found_here :
       {what([&] { return &config.token_provider(nullptr); }), what([&] { return &config.log(zus::log_level::info, nullptr); }),
        what([&] { return &config.api_url(unset); }), what([&] { return &config.oauth_url(unset); }),
        what([&] { return &config.timeouts(-1ms, 1s); }), what([&] { return &config.retry(1, -1ms, 1ms); }),
        what([&] { return &config.rate(30, -5ms); })}) {
    CHECK(*zus_config_message(config.get()) != '\0');  // of the setter before, still
    CHECK(found_here.find(zus_config_message(config.get())) == string::npos);
    CHECK(found_here.find("zus::config::") == 0 && found_here.back() != ' ');
  }
  CHECK_CONTAINS(what([&] { return &config.rate(30, -5ms); }).c_str(), "zus::config::rate: a time is out of range");
  CHECK(library() == found_by_library);

  test("a client without credentials can't be made");
  CHECK_THROWS(zus::code::credentials, zus::client(zus::config()));
}

static_assert(std::is_error_code_enum_v<zus::code>);
static_assert(!std::is_convertible_v<zus::action, std::error_code>);

// As a function of another library that knows std::error_code alone.
std::error_code fails_with(const zus::client& zoom, const char* user) { return zoom.deactivate(user).code(); }

void standard(const sandbox& box) {
  const zus::client zoom{config_for_cpp(box)};
  test("a code is a std::error_code");
  CHECK(!fails_with(zoom, "ada@example.com"));
  const std::error_code failed = fails_with(zoom, "nobody@example.com");
  CHECK(failed);
  CHECK(failed == zus::code::user_not_found);
  CHECK(failed != zus::code::user_busy);
  CHECK_NUMBER(failed.value(), ZUS_ERR_USER_NOT_FOUND);
  CHECK(failed.category() == zus::category());
  CHECK(string(failed.category().name()) == "zus");
  CHECK(failed.message() == zus::text(zus::code::user_not_found));
  CHECK(std::system_error(failed).code() == zus::code::user_not_found);
  test("and is one of the standard's conditions where it is the same");
  CHECK(std::error_code(zus::code::timeout) == std::errc::timed_out);
  CHECK(std::error_code(zus::code::cancelled) == std::errc::operation_canceled);
  CHECK(std::error_code(zus::code::argument) == std::errc::invalid_argument);
  CHECK(std::error_code(zus::code::utf8) == std::errc::illegal_byte_sequence);
  CHECK(std::error_code(zus::code::forbidden) != std::errc::permission_denied);
  CHECK(std::error_code(zus::code::tls).default_error_condition().category() == zus::category());

  test("codes and actions print their names");
  std::ostringstream out;
  out << zus::code::ok << ' ' << zoom.deactivate("nobody@example.com").code() << ' ' << static_cast<zus::code>(12345);
  CHECK(out.str() == "ZUS_OK ZUS_ERR_USER_NOT_FOUND ZUS_ERR_UNKNOWN");
  out.str("");
  out << zus::action::activate << ' ' << zus::action::deactivate << ' ' << zus::action::clock_in << ' ' << zus::action::clock_out << ' '
      << static_cast<zus::action>(9);
  CHECK(out.str() == "activate deactivate clock_in clock_out unknown");
  out.str("");
  out << std::setw(8) << std::setfill('.') << zus::code::ok;
  CHECK(out.str() == "..ZUS_OK");

  test("zus::cancel::never is one, and never triggers");
  CHECK(&zus::cancel::never() == &zus::cancel::never());
  CHECK(zus::cancel::never().get() == nullptr);
}

void ownership(const sandbox& box) {
  test("a moved client works, and what it left says so");
  zus::client first{config_for_cpp(box)};
  zus::client second = std::move(first);
  CHECK(second);
  CHECK(!first);  // NOLINT: what is left is what is tested
  CHECK_IS(first.code(), zus::code::null);
  CHECK(second.deactivate("answer-204+move@example.com"));
  CHECK_THROWS(zus::code::null, first.deactivate("ada@example.com"));
  CHECK_THROWS(zus::code::null, first.check_credentials());
  CHECK_THROWS(zus::code::null, first.update_many({"ada@example.com"}, zus::action::activate, [](const zus::result_view&) {}));
  first = std::move(second);
  CHECK(first.deactivate("answer-204+move@example.com"));
  auto& same = first;
  first = std::move(same);
  CHECK(first.deactivate("answer-204+move@example.com"));

  test("a moved result keeps its text, and what it left is empty");
  auto answer = first.deactivate("nobody@example.com");
  const char* const text = answer.message().data();
  auto kept = std::move(answer);
  CHECK(kept.message().data() == text);
  CHECK_IS(kept.code(), zus::code::user_not_found);
  CHECK(!answer.ok());
  CHECK_IS(answer.code(), zus::code::null);
  CHECK_NUMBER(answer.http_status(), 0);
  CHECK(answer.user_id().empty() && answer.tracking_id().empty() && answer.body().empty() && answer.header("date").empty());
  CHECK(!answer.retry_after());
  kept = first.deactivate("answer-204+kept@example.com");
  CHECK(kept.ok());
  auto& itself = kept;
  kept = std::move(itself);
  CHECK(kept.user_id() == "answer-204+kept@example.com");
  std::vector<zus::result> many;
  for (int i = 0; i < 5; ++i) many.push_back(first.deactivate("nobody@example.com"));
  CHECK(many.front().zoom_code() == 1001 && many.back().zoom_code() == 1001);

  test("one config makes many clients, and may end before them");
  auto config = std::make_unique<zus::config>(config_for_cpp(box));
  auto lines = std::make_shared<std::atomic<int>>(0);
  config->log(zus::log_level::debug, [lines](zus::log_level, string_view) { ++*lines; });
  zus::client one{*config}, two{*config};
  config->token_provider([]() -> std::function<string(bool)> { return [](bool) { return string("sandbox-token"); }; }());
  zus::client three{*config};
  config.reset();
  CHECK(one.deactivate("answer-204+one@example.com"));
  CHECK(two.deactivate("answer-204+one@example.com"));
  CHECK(three.deactivate("answer-204+one@example.com"));
  CHECK(*lines > 0);
  CHECK(lines.use_count() == 2);  // the clients share one, and keep it

  test("a config that was moved from says so");
  zus::config from = config_for_cpp(box);
  const zus::config to = std::move(from);
  CHECK_THROWS(zus::code::null, from.token("x"));
  CHECK_THROWS(zus::code::null, zus::client(from));
  CHECK(zus::client(to));
}

void from_env(const sandbox& box) {
  test("from_env: the static token wins, and the URLs are used");
  setenv("ZOOM_API_URL", box.api, 1);
  setenv("ZOOM_OAUTH_URL", box.oauth, 1);
  setenv("ZOOM_ACCESS_TOKEN", "sandbox-token", 1);
  setenv("ZOOM_ACCOUNT_ID", "wrong", 1);
  setenv("ZOOM_CLIENT_ID", "wrong", 1);
  setenv("ZOOM_CLIENT_SECRET", "wrong", 1);
  CHECK(zus::client{zus::config::from_env()}.deactivate("answer-204+env@example.com"));
  test("from_env: else OAuth");
  unsetenv("ZOOM_ACCESS_TOKEN");
  setenv("ZOOM_ACCOUNT_ID", "sandbox-account", 1);
  setenv("ZOOM_CLIENT_ID", "sandbox-client", 1);
  setenv("ZOOM_CLIENT_SECRET", "sandbox-secret", 1);
  const auto checked = zus::client{zus::config::from_env()}.check_credentials();
  CHECK(checked);
  CHECK(checked.body().find("\"scope\"") != string_view::npos);
  test("from_env: what is missing is named");
  unsetenv("ZOOM_CLIENT_SECRET");
  CHECK_THROWS(zus::code::credentials, zus::config::from_env());
  try {
    static_cast<void>(zus::config::from_env());
    CHECK(false);
  } catch (const zus::error& missing) {
    CHECK_CONTAINS(missing.what(), "zus::config::from_env: ");
    CHECK_CONTAINS(missing.what(), "ZOOM_CLIENT_SECRET is not set");
  }
  unsetenv("ZOOM_ACCOUNT_ID");
  unsetenv("ZOOM_CLIENT_ID");
  CHECK_THROWS(zus::code::credentials, zus::config::from_env());
}

template <class Range>
void check_range(const char* name, const zus::client& zoom, Range&& ids) {
  test(name);
  std::map<string, zus::code> seen;
  const auto end = zoom.update_many(std::forward<Range>(ids), zus::action::deactivate,
                                    [&](const zus::result_view& user) { seen.emplace(string(user.user_id()), user.code()); });
  CHECK_IS(end.code, zus::code::partial);
  CHECK(!end);
  CHECK_NUMBER(end.done, 2);
  CHECK_NUMBER(end.failed, 1);
  CHECK_NUMBER(end.not_sent, 0);
  CHECK(seen.size() == 3);
  CHECK(seen["ada@example.com"] == zus::code::ok && seen["linus@example.com"] == zus::code::ok);
  CHECK(seen["nobody@example.com"] == zus::code::user_not_found);
}

void ranges(const sandbox& box) {
  const zus::client zoom{config_for_cpp(box)};
  const std::vector<string> strings{"ada@example.com", "nobody@example.com", "linus@example.com"};
  const char* pointers[] = {"ada@example.com", "nobody@example.com", "linus@example.com"};
  check_range("vector<string>", zoom, strings);
  check_range("vector<string>, given away", zoom, std::vector<string>(strings));
  check_range("array of const char*", zoom, pointers);
  check_range("list<string_view>", zoom, std::list<string_view>(strings.begin(), strings.end()));
  check_range("set<string>", zoom, std::set<string>(strings.begin(), strings.end()));
  check_range("deque of a type that converts", zoom, std::deque<spelled>{{strings[0]}, {strings[1]}, {strings[2]}});
#if defined(__cpp_lib_ranges) && !(defined(__clang__) && __clang_major__ < 16)
  const auto trimmed = [](const string& id) { return string_view(id).substr(1, id.size() - 2); };
  const std::vector<string> padded{" ada@example.com ", " # ", " nobody@example.com ", " linus@example.com "};
  check_range("a view that makes its strings as it goes", zoom,
              padded | std::views::transform(trimmed) | std::views::filter([](string_view id) { return id != "#"; }));
  check_range("a view of new strings", zoom, strings | std::views::transform([](const string& id) { return id + ""; }));
#endif
  test("a list in braces");
  CHECK_NUMBER(zoom.update_many({"ada@example.com", "linus@example.com"}, zus::action::activate, [](const zus::result_view&) {}).done, 2);

  test("an empty range is done");
  const auto none = zoom.update_many(std::vector<string>(), zus::action::activate, [](const zus::result_view&) { CHECK(false); });
  CHECK(none);
  CHECK_NUMBER(none.done + none.failed + none.not_sent, 0);

  test("ids that can't be are values in a batch, and a NUL inside makes nobody else");
  std::map<std::size_t, zus::code> seen;
  const std::vector<string_view> odd{"", " ada@example.com", string_view("admin@example.com\0x", 19), "ada@example.com"};
  const long before = ledger(&box, "admin@example.com", "received");
  const auto end = zoom.update_many(odd, zus::action::activate, [&](std::size_t i, const zus::result_view& user) {
    seen[i] = user.code();
    CHECK(user || user.attempts() == 0);
  });
  CHECK_NUMBER(end.done, 1);
  CHECK_NUMBER(end.failed, 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK_IS(seen[i], zus::code::argument);
  CHECK_NUMBER(ledger(&box, "admin@example.com", "received"), before);
  const char* holes[] = {"ada@example.com", nullptr};
  const auto second_is_null = [&](std::size_t i, zus::result_view user) {
    CHECK_IS(user.code(), i == 0 ? zus::code::ok : zus::code::null);
  };
  CHECK_NUMBER(zoom.update_many(holes, zus::action::activate, second_is_null).failed, 1);
  CHECK_NUMBER(zoom.update_many({holes[0], holes[1]}, zus::action::activate, second_is_null).failed, 1);
}

struct boom {
  int number;
};

void lambdas(const sandbox& box) {
  std::vector<string> ids;
  for (int i = 1; i <= 200; ++i) {
    char id[32];
    std::snprintf(id, sizeof id, "user%05d@example.com", i);
    ids.emplace_back(id);
  }
  const zus::client zoom{config_for_cpp(box).concurrency(4)};

  test("a lambda that returns false stops the batch");
  int calls = 0;
  auto end = zoom.update_many(ids, zus::action::deactivate, [&](const zus::result_view&) { return ++calls < 5; });
  CHECK_IS(end.code, zus::code::cancelled);
  CHECK(calls >= 5 && calls <= 5 + 4);
  CHECK_NUMBER(end.done + end.failed, calls);
  CHECK_NUMBER(end.not_sent, 200 - calls);
  CHECK_NUMBER(ledger(&box, nullptr, "requests"), calls);

  test("what a lambda throws stops the batch and comes out unchanged, the first one");
  calls = 0;
  const long before = ledger(&box, nullptr, "requests");
  try {
    static_cast<void>(zoom.update_many(ids, zus::action::deactivate, [&](std::size_t, const zus::result_view&) {
      if (++calls >= 3) throw boom{calls};
    }));
    CHECK(false);
  } catch (const boom& b) {
    CHECK_NUMBER(b.number, 3);
  }
  CHECK(calls >= 3 && calls <= 3 + 4);
  CHECK_NUMBER(ledger(&box, nullptr, "requests") - before, calls);  // none was sent that the lambda did not hear of

  test("the client is as good as before");
  CHECK(zoom.deactivate(ids[0]));

  test("a lambda that calls its own client ends in zus::error, busy");
  CHECK_THROWS(zus::code::reentrant, zoom.update_many(ids, zus::action::deactivate, [&](const zus::result_view& user) {
    static_cast<void>(zoom.activate(user.user_id()));
  }));

  test("a callable with a state, a function, a std::function, move-only");
  struct counter {
    int seen = 0;
    void operator()(const zus::result_view&) { ++seen; }
  } counting;
  CHECK(zoom.update_many({"ada@example.com", "linus@example.com"}, zus::action::activate, counting));
  CHECK_NUMBER(counting.seen, 2);  // called, not copied
  bool (*function)(const zus::result_view&) = [](const zus::result_view& user) { return user.ok(); };
  CHECK(zoom.update_many({"ada@example.com"}, zus::action::activate, function));
  CHECK(zoom.update_many({"ada@example.com"}, zus::action::activate, std::function<void(std::size_t, zus::result_view)>([](std::size_t, zus::result_view) {})));
  CHECK(zoom.update_many({"ada@example.com"}, zus::action::activate, [owned = std::make_unique<int>(1)](zus::result_view) { return *owned == 1; }));

  test("a cancel from another thread");
  zus::cancel stop;
  std::thread raiser([&] {
    std::this_thread::sleep_for(200ms);
    stop.trigger();
  });
  const auto begin = std::chrono::steady_clock::now();
  CHECK_IS(zoom.deactivate("answer-never@example.com", stop).code(), zus::code::cancelled);
  CHECK(std::chrono::steady_clock::now() - begin < 3s);
  raiser.join();
  end = zoom.update_many(ids, zus::action::deactivate, [](const zus::result_view&) {}, stop);
  CHECK_IS(end.code, zus::code::cancelled);
  CHECK_NUMBER(end.not_sent, 200);
  const zus::cancel moved = std::move(stop);
  CHECK_IS(zoom.deactivate("ada@example.com", moved).code(), zus::code::cancelled);

  test("a cancel that was moved from says so, and stops nobody unnoticed");
  CHECK_THROWS(zus::code::null, zoom.deactivate("ada@example.com", stop));  // NOLINT: what is left is what is tested
  CHECK_THROWS(zus::code::null, zoom.check_credentials(stop));
  CHECK_THROWS(zus::code::null, zoom.update_many(ids, zus::action::activate, [](const zus::result_view&) {}, stop));
  CHECK(zoom.deactivate("ada@example.com", zus::cancel::never()));
}

void callbacks(const sandbox& box) {
  test("a token provider, asked once and told of a refusal");
  std::vector<bool> asked;
  const zus::client refused_once{config_for_cpp(box).token_provider([&asked](bool refused) {
    asked.push_back(refused);
    return string(refused ? "sandbox-token" : "expired");
  })};
  CHECK(refused_once.deactivate("answer-204+provider@example.com"));
  CHECK(refused_once.deactivate("answer-204+provider@example.com"));
  CHECK((asked == std::vector<bool>{false, true}));

  test("a long token is made once, although the library asks twice for it");
  int made = 0;
  const zus::client longer{config_for_cpp(box).token_provider([&made](bool refused) {
    ++made;
    return refused ? string("sandbox-token") : string(6000, 'x');
  })};
  CHECK(longer.deactivate("answer-204+provider@example.com"));
  CHECK_NUMBER(made, 2);

  test("no token");
  const zus::client none{config_for_cpp(box).token_provider([](bool) { return string(); })};
  CHECK_IS(none.deactivate("ada@example.com").code(), zus::code::token);

  test("what a token provider throws comes out of the call, and of a batch");
  int fails = 2;
  const zus::client throwing{config_for_cpp(box).token_provider([&fails](bool) -> string {
    if (fails-- > 0) throw boom{fails};
    return "sandbox-token";
  })};
  try {
    static_cast<void>(throwing.deactivate("ada@example.com"));
    CHECK(false);
  } catch (const boom& b) {
    CHECK_NUMBER(b.number, 1);
  }
  try {
    static_cast<void>(throwing.update_many({"ada@example.com"}, zus::action::activate, [](const zus::result_view&) {}));
    CHECK(false);
  } catch (const boom& b) {
    CHECK_NUMBER(b.number, 0);
  }
  CHECK(throwing.deactivate("ada@example.com"));

  test("what a token provider throws comes out of every call that waited for it");
  std::atomic<bool> empty{false};
  const zus::client crowded{config_for_cpp(box).token_provider([&empty](bool) -> string {
    if (empty) return "";
    std::this_thread::sleep_for(300ms);
    throw boom{42};
  })};
  std::atomic<int> out{0};
  std::vector<std::thread> crowd;
  for (int t = 0; t < 8; ++t)
    crowd.emplace_back([&] {
      try {
        static_cast<void>(crowded.deactivate("ada@example.com"));
      } catch (const boom& b) {
        out += b.number == 42;
      }
    });
  for (auto& thread : crowd) thread.join();
  CHECK_NUMBER(out.load(), 8);
  empty = true;
  CHECK_IS(crowded.deactivate("ada@example.com").code(), zus::code::token);  // and out of none that came later

  test("a log, and what it throws is dropped");
  std::ostringstream lines;
  int worst = 9;
  const zus::client logging{config_for_cpp(box).log(zus::log_level::debug, [&](zus::log_level level, string_view line) {
    lines << line << '\n';
    worst = (std::min)(worst, static_cast<int>(level));
    throw boom{0};
  })};
  CHECK(!logging.deactivate("nobody@example.com"));
  CHECK(lines.str().find("nobody@example.com") != string::npos);
  CHECK(lines.str().find("sandbox-token") == string::npos);
  CHECK(worst >= 1 && worst <= 4);
}

void threads(const sandbox& box) {
  test("16 threads on one client");
  const zus::client zoom{config_for_cpp(box)};
  std::atomic<int> wrong{0};
  std::vector<std::thread> all;
  for (int t = 0; t < 16; ++t)
    all.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        wrong += !zoom.deactivate("answer-204+threads@example.com");
        wrong += zoom.deactivate("nobody@example.com").code() != zus::code::user_not_found;
      }
    });
  for (auto& thread : all) thread.join();
  CHECK_NUMBER(wrong.load(), 0);
}

void names() {
  test("names and texts");
  CHECK(zus::name(zus::code::user_not_found) == "ZUS_ERR_USER_NOT_FOUND");
  CHECK(zus::name(static_cast<zus::code>(12345)) == "ZUS_ERR_UNKNOWN");
  CHECK(!zus::text(zus::code::user_limit).empty());
  char header[32];
  std::snprintf(header, sizeof header, "%d.%d.%d", ZUS_VERSION_MAJOR, ZUS_VERSION_MINOR, ZUS_VERSION_PATCH);
  CHECK(zus::version() == header);
}

}  // namespace

int main() {
  const char* const options[] = {"--users", "200", nullptr};
  sandbox box{}, counted{};
  sandbox_start(&box, options);
  sandbox_start(&counted, options);
  results(box);
  mistakes(box);
  standard(box);
  ownership(box);
  from_env(box);
  ranges(box);
  lambdas(counted);
  callbacks(box);
  threads(box);
  names();
  sandbox_stop(&box);
  sandbox_stop(&counted);
  return finish();
}
