// zus.hpp built with -fno-exceptions: usage errors are values too.
#include <string>
#include <vector>

#include "../c/check.h"
#include "../c/sandbox.h"
#include "zus.hpp"

#if ZUS_HPP_EXCEPTIONS
#  error "build this with -fno-exceptions"
#endif

using namespace std::chrono_literals;

int main() {
  sandbox box{};
  sandbox_start(&box, nullptr);
  const auto fresh = [&] { return zus::config().token("sandbox-token").api_url(box.api).rate(0).retry(1, 1ms, 1ms); };

  test("results are values");
  const zus::client zoom{fresh()};
  CHECK(zoom);
  CHECK(zoom.deactivate("ada@example.com"));
  CHECK(zoom.deactivate("nobody@example.com").code() == zus::code::user_not_found);

  test("a usage error in a call is a value");
  const auto leading = zoom.deactivate(" ada@example.com");
  CHECK(leading.code() == zus::code::argument);
  CHECK(!leading.message().empty());
  CHECK(leading.attempts() == 0);
  const char* const unset = nullptr;
  const auto null = zoom.deactivate(unset);
  CHECK(null.code() == zus::code::null);
  CHECK(!null.message().empty());
  CHECK(null.header(unset).empty());

  test("the first usage error of a setter stays, and the client is empty and has its code");
  const auto bad = fresh().api_url("http://api.zoom.us/v2").token("\xFF").rate(10);
  CHECK(bad.code() == zus::code::argument);
  const zus::client empty{bad};
  CHECK(!empty);
  CHECK(empty.code() == zus::code::argument);
  CHECK(empty.deactivate("ada@example.com").code() == zus::code::argument);
  CHECK(!empty.deactivate("ada@example.com").message().empty());
  CHECK(empty.check_credentials().code() == zus::code::argument);

  CHECK(fresh().oauth_url(unset).code() == zus::code::null);

  test("no credentials");
  CHECK(zus::config::from_env().code() == zus::code::credentials);
  const zus::client nobody{zus::config()};
  CHECK(nobody.code() == zus::code::credentials);
  const std::vector<std::string> ids{"ada@example.com", "", "nobody@example.com"};
  int calls = 0;
  const auto none = nobody.update_many(ids, zus::action::activate, [&](const zus::result_view&) { ++calls; });
  CHECK(none.code == zus::code::credentials);
  CHECK(calls == 0 && none.not_sent == 3);

  test("a batch");
  const auto end = zoom.update_many(ids, zus::action::activate, [&](std::size_t, const zus::result_view&) { ++calls; });
  CHECK(end.code == zus::code::partial);
  CHECK(calls == 3 && end.done == 1 && end.failed == 2);

  test("a token provider and a log");
  int lines = 0;
  const zus::client provided{fresh()
                                 .token_provider([](bool) { return std::string("sandbox-token"); })
                                 .log(zus::log_level::debug, [&](zus::log_level, std::string_view) { ++lines; })};
  CHECK(provided.deactivate("ada@example.com"));
  CHECK(lines > 0);

  test("a cancel that was moved from is a usage error");
  zus::cancel stop;
  const zus::cancel moved = std::move(stop);
  CHECK(zoom.deactivate("ada@example.com", moved));
  CHECK(zoom.deactivate("ada@example.com", stop).code() == zus::code::null);

  test("a moved client is empty");
  zus::client from{fresh()};
  const zus::client to = std::move(from);
  CHECK(to.deactivate("ada@example.com"));
  CHECK(from.deactivate("ada@example.com").code() == zus::code::null);
  sandbox_stop(&box);
  return finish();
}
