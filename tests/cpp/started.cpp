// zus.hpp's calls that don't wait, against the sandbox: futures, functions, and events of a queue.
#include <poll.h>
#include <signal.h>

#include <atomic>
#include <set>

#include "../c/check.h"
#include "../c/sandbox.h"
#include "zus.hpp"

using namespace std::chrono_literals;
using std::string;

namespace {

static_assert(std::is_nothrow_move_constructible_v<zus::event> && !std::is_copy_constructible_v<zus::event>);
static_assert(std::is_nothrow_move_constructible_v<zus::queue> && !std::is_copy_constructible_v<zus::queue>);

zus::config config_for_cpp(const sandbox& box) {
  return zus::config().token("sandbox-token").api_url(box.api).oauth_url(box.oauth).rate(0).retry(1, 1ms, 1ms);
}

#define CHECK_IS(actual, expected)                                                                 \
  check_text(string(zus::name(actual)).c_str(), string(zus::name(expected)).c_str(), __FILE__, __LINE__, #actual)

// The code that f ends with: of the zus::error that it throws, or of what it returns.
template <class F>
zus::code code_of(F&& f) {
#if ZUS_HPP_EXCEPTIONS
  try {
    return f();
  } catch (const zus::error& usage) {
    CHECK(*usage.what() != '\0');
    return usage.code();
  }
#else
  return f();
#endif
}

// Counts, for a thread that waits for it.
class counter {
 public:
  void add() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool reaches(int wanted) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, 60s, [&] { return count_ >= wanted; }) && count_ == wanted;
  }

 private:
  std::mutex mutex_{};
  std::condition_variable changed_{};
  int count_ = 0;
};

void futures(const sandbox& box) {
  const zus::client zoom{config_for_cpp(box)};
  test("a future gets what the call would return");
  auto done = zoom.deactivate_async("answer-204+future@example.com");
  auto refused = zoom.update_async("nobody@example.com", zus::action::activate);
  CHECK(done.get());
  const auto result = refused.get();
  CHECK_IS(result.code(), zus::code::user_not_found);
  CHECK_NUMBER(result.http_status(), 404);
  CHECK(result.user_id() == "nobody@example.com");
  CHECK(!result.message().empty() && result.message().data() == zus_result_message(result.get()));

  test("its text lives as long as it does, moved or not");
  auto first = zoom.deactivate_async("nobody@example.com").get();
  const char* const text = first.message().data();
  auto second = std::move(first);
  CHECK(second.message().data() == text && second.message().find("User does not exist") != string::npos);
  CHECK_IS(first.code(), zus::code::null);
  second = zoom.deactivate_async("answer-204+future@example.com").get();
  CHECK(second && second.user_id() == "answer-204+future@example.com");

  test("each action, reads and checks");
  CHECK(zoom.activate_async("linus@example.com").get());
  CHECK(zoom.clock_in_async("linus@example.com").get());
  CHECK(zoom.clock_out_async("linus@example.com").get());
  CHECK(zoom.deactivate_async("linus@example.com").get());
  CHECK_NUMBER(ledger(&box, "linus@example.com", "received"), 4);
  CHECK(zoom.get_user_status_async("pending@example.com").get().user_status() == zus::user_status::pending);
  CHECK(zoom.check_credentials_async().get());

  test("a usage error comes out of the future, as of the call");
  CHECK_IS(code_of([&] { return zoom.deactivate_async(" ada@example.com").get().code(); }), zus::code::argument);
  CHECK_IS(code_of([&] { return zoom.deactivate_async(static_cast<const char*>(nullptr)).get().code(); }), zus::code::null);
  CHECK_IS(code_of([&] { return zoom.deactivate_async("\xFF").get().code(); }), zus::code::utf8);
  CHECK_IS(code_of([&] { return zoom.deactivate_async(std::string_view("ada@example.com\0.evil", 21)).get().code(); }),
           zus::code::argument);

  test("a cancel ends a call in flight");
  zus::cancel stop;
  auto hangs = zoom.deactivate_async("answer-never@example.com", stop);
  CHECK(hangs.wait_for(200ms) == std::future_status::timeout);
  stop.trigger();
  CHECK(hangs.wait_for(3s) == std::future_status::ready);
  CHECK_IS(hangs.get().code(), zus::code::cancelled);
  CHECK_IS(zoom.deactivate_async("ada@example.com", stop).get().code(), zus::code::cancelled);
  const zus::cancel moved = std::move(stop);
  CHECK_IS(code_of([&] { return zoom.deactivate_async("ada@example.com", stop).get().code(); }), zus::code::null);

  test("a cancel may end before the call that it was given to");
  auto owned = std::make_unique<zus::cancel>();
  auto goes_on = zoom.deactivate_async("answer-slow-100@example.com", *owned);
  owned.reset();
  CHECK(goes_on.get());

  test("a future that is dropped waits for nothing, and the call goes on");
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(zoom.deactivate_async("answer-slow-20000+dropped@example.com"));
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
  const auto received = [&] { return ledger(&box, "answer-slow-20000+dropped@example.com", "received") == 1; };
  for (int i = 0; i < 200 && !received(); ++i) std::this_thread::sleep_for(50ms);
  CHECK(received());

  test("a client that ends cancels its calls, and their futures become ready");
  auto ends = std::make_unique<zus::client>(config_for_cpp(box));
  std::vector<std::future<zus::result>> all;
  for (int i = 0; i < 100; ++i) all.push_back(ends->deactivate_async("answer-never@example.com"));
  ends.reset();
  for (auto& one : all) {
    CHECK(one.wait_for(5s) == std::future_status::ready);
    CHECK_IS(one.get().code(), zus::code::cancelled);
  }

  test("a thousand at once, from eight threads");
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      std::vector<std::future<zus::result>> mine;
      for (int i = 0; i < 125; ++i) mine.push_back(zoom.deactivate_async("answer-204+thousand@example.com"));
      for (auto& one : mine) good += one.get().ok();
    });
  for (auto& thread : threads) thread.join();
  CHECK_NUMBER(good.load(), 1000);

  test("a moved client says so, and so does an empty one");
  zus::client from{config_for_cpp(box)};
  auto before = from.deactivate_async("answer-204+moved@example.com");
  const zus::client to = std::move(from);
  CHECK(before.get());
  CHECK(to.deactivate_async("answer-204+moved@example.com").get());
  CHECK_IS(code_of([&] { return from.deactivate_async("ada@example.com").get().code(); }), zus::code::null);
  CHECK_IS(code_of([&] { return from.deactivate_async("ada@example.com", [](zus::result) {}); }), zus::code::null);
}

void functions(const sandbox& box) {
  const zus::client zoom{config_for_cpp(box)};
  test("a function is called once for each call, on one thread that is not the caller's");
  counter ended;
  std::set<std::thread::id> threads;
  std::set<string> users;
  for (int i = 1; i <= 100; ++i) {
    char user[32];
    std::snprintf(user, sizeof user, "user%05d@example.com", i);
    CHECK_IS(zoom.deactivate_async(user,
                                   [&](zus::result result) {
                                     threads.insert(std::this_thread::get_id());
                                     users.emplace(result.user_id());
                                     CHECK_IS(result.code(), zus::code::ok);
                                     ended.add();
                                   }),
             zus::code::ok);
  }
  CHECK(ended.reaches(100));
  CHECK(threads.size() == 1 && threads.count(std::this_thread::get_id()) == 0);
  CHECK(users.size() == 100);

  test("as a lambda of a view, of a reference, and with what it owns");
  counter kinds;
  const auto shared = std::make_shared<int>(1);
  const auto started = [&](zus::code value) { CHECK_IS(value, zus::code::ok); };
  started(zoom.activate_async("nobody@example.com", [&kinds](zus::result_view result) {
    CHECK_IS(result.code(), zus::code::user_not_found);
    kinds.add();
  }));
  started(zoom.clock_in_async("linus@example.com", [&kinds, shared](const zus::result& result) {
    CHECK(result);
    kinds.add();
  }));
  started(zoom.clock_out_async("linus@example.com", [&kinds](auto&& result) {
    CHECK(result);
    kinds.add();
  }));
  started(zoom.update_async("linus@example.com", zus::action::activate, [&kinds](const zus::result&) { kinds.add(); }));
  started(zoom.get_user_status_async("linus@example.com", [&kinds](const zus::result& result) {
    CHECK(result.user_status() != zus::user_status::unknown);
    kinds.add();
  }));
  started(zoom.check_credentials_async([&kinds](const zus::result& result) {
    CHECK(result);
    kinds.add();
  }));
  CHECK(kinds.reaches(6));
  for (int i = 0; i < 600 && shared.use_count() != 1; ++i) std::this_thread::sleep_for(100ms);
  CHECK(shared.use_count() == 1);

  test("a usage error of one user is a value; what can't be started is none, and calls nothing");
  counter values;
  started(zoom.deactivate_async("", [&values](const zus::result& result) {
    CHECK_IS(result.code(), zus::code::argument);
    CHECK(!result.message().empty());
    values.add();
  }));
  CHECK(values.reaches(1));
  const auto never = [](const zus::result&) { CHECK(false); };
  CHECK_IS(code_of([&] { return zoom.deactivate_async(static_cast<const char*>(nullptr), never); }), zus::code::null);
  CHECK_IS(code_of([&] { return zoom.deactivate_async("\xFF", never); }), zus::code::utf8);
  CHECK_IS(code_of([&] { return zoom.deactivate_async("ada@example.com", std::function<void(zus::result)>()); }), zus::code::null);

  test("a function may start calls, and a cancel ends what waits");
  counter chain;
  zus::cancel stop;
  started(zoom.deactivate_async("answer-204+chain@example.com", [&](const zus::result&) {
    started(zoom.activate_async("answer-never@example.com", [&](const zus::result& result) {
      CHECK_IS(result.code(), zus::code::cancelled);
      chain.add();
    }, stop));
    chain.add();
  }));
  CHECK(chain.reaches(1));
  stop.trigger();
  CHECK(chain.reaches(2));

  test("once its client has ended, no function runs: what it captured may end");
  for (int i = 0; i < 20; ++i) {
    auto called = std::make_unique<std::atomic<int>>(0);
    {
      const zus::client ends{config_for_cpp(box)};
      for (int n = 0; n < 10; ++n)
        started(ends.deactivate_async(n % 2 ? "" : "answer-never@example.com", [&called](const zus::result&) { ++*called; }));
    }
    CHECK_NUMBER(called->load(), 10);
    called.reset();
  }

  test("a client may end on the thread that calls the functions, and when it is given another");
  counter last;
  auto own = std::make_shared<zus::client>(config_for_cpp(box));
  started(own->deactivate_async("answer-204+own@example.com", [&last, own](const zus::result&) mutable {
    own.reset();
    last.add();
  }));
  own.reset();
  CHECK(last.reaches(1));
  zus::client replaced{config_for_cpp(box)};
  started(replaced.deactivate_async("answer-never@example.com", [&last](const zus::result& result) {
    CHECK_IS(result.code(), zus::code::cancelled);
    last.add();
  }));
  replaced = zus::client{config_for_cpp(box)};
  CHECK(last.reaches(2));
  CHECK(replaced.deactivate_async("answer-204+own@example.com").get());
}

void callbacks(const sandbox& box) {
  test("a token provider and a log serve started calls, and run no more once the client has ended");
  for (int i = 0; i < 10; ++i) {
    auto lines = std::make_unique<std::atomic<int>>(0), tokens = std::make_unique<std::atomic<int>>(0);
    {
      const zus::client zoom{config_for_cpp(box)
                                 .token_provider([&tokens](bool) {
                                   ++*tokens;
                                   std::this_thread::sleep_for(20ms);
                                   return string("sandbox-token");
                                 })
                                 .log(zus::log_level::debug, [&lines](zus::log_level, std::string_view) { ++*lines; })};
      std::vector<std::future<zus::result>> all;
      for (int n = 0; n < 8; ++n) all.push_back(zoom.deactivate_async("answer-never@example.com"));
      for (int waited = 0; i % 2 && tokens->load() == 0 && waited < 6000; ++waited) std::this_thread::sleep_for(10ms);
    }
    if (i % 2) CHECK_NUMBER(tokens->load(), 1);
    lines.reset();
    tokens.reset();
  }
#if ZUS_HPP_EXCEPTIONS
  test("what a token provider throws comes out of the future; a function gets the code");
  struct boom {
    int number;
  };
  const zus::client throwing{config_for_cpp(box).token_provider([](bool) -> string { throw boom{42}; })};
  try {
    static_cast<void>(throwing.deactivate_async("ada@example.com").get());
    CHECK(false);
  } catch (const boom& b) {
    CHECK_NUMBER(b.number, 42);
  }
  counter told;
  CHECK_IS(throwing.deactivate_async("ada@example.com",
                                     [&told](const zus::result& result) {
                                       CHECK_IS(result.code(), zus::code::token);
                                       told.add();
                                     }),
           zus::code::ok);
  CHECK(told.reaches(1));
#endif
}

void events(const sandbox& box) {
  test("a queue gives results, log lines and token requests as events");
  const zus::queue queue;
  const zus::client zoom{config_for_cpp(box).log_events(zus::log_level::info, queue).token_events(queue)};
  int key = 0, lines = 0, tokens = 0;
  CHECK_IS(zoom.update_start("nobody@example.com", zus::action::deactivate, queue, &key), zus::code::ok);
  for (;;) {
    auto event = queue.next(60s);
    if (!CHECK(event)) break;
    if (event.kind() == zus::event_kind::log) {
      CHECK(event.log_level() <= zus::log_level::info && !event.message().empty());
      ++lines;
    } else if (event.kind() == zus::event_kind::token) {
      CHECK(event.token_rejected() == (tokens == 1));
      CHECK_IS(event.set_token("two words"), zus::code::argument);
      CHECK_IS(event.set_token(tokens++ ? "sandbox-token" : "expired"), zus::code::ok);
      CHECK_IS(event.set_token("again"), zus::code::argument);
    } else {
      CHECK(event.kind() == zus::event_kind::result && event.userdata() == &key);
      CHECK_IS(event.result().code(), zus::code::user_not_found);
      const zus::result kept{std::move(event)};
      CHECK(!event);  // NOLINT: what is left is what is tested
      CHECK(kept.user_id() == "nobody@example.com" && kept.http_status() == 404 && !kept.is_fatal());
      break;
    }
  }
  CHECK(lines > 1 && tokens == 2);

  test("an event that is not there is empty");
  auto none = zus::queue().next();
  CHECK(!none && none.kind() == zus::event_kind::none && none.userdata() == nullptr && none.message().empty());
  CHECK_IS(none.result().code(), zus::code::null);
  CHECK_IS(none.set_token("token"), zus::code::null);
  CHECK_IS(zus::result(std::move(none)).code(), zus::code::null);

  test("a wake, and a descriptor");
  const zus::queue watched;
  watched.wake();
  CHECK(!watched.next(60s));
  pollfd descriptor{static_cast<int>(watched.descriptor()), POLLIN, 0};
  CHECK(descriptor.fd >= 0 && poll(&descriptor, 1, 0) == 0);
  const zus::client plain{config_for_cpp(box)};
  CHECK_IS(plain.get_user_status_start("ada@example.com", watched), zus::code::ok);
  CHECK_IS(plain.check_credentials_start(watched, &key), zus::code::ok);
  CHECK(poll(&descriptor, 1, 60000) == 1);
  for (int i = 0; i < 2; ++i) {
    const auto event = watched.next(60s);
    CHECK(event.result());
    CHECK((event.userdata() == &key) == event.result().user_id().empty());
  }
  close(descriptor.fd);

  test("what can't be started, and cancel_started");
  CHECK_IS(code_of([&] { return plain.update_start(static_cast<const char*>(nullptr), zus::action::activate, watched); }), zus::code::null);
  zus::queue gone;
  const zus::queue kept = std::move(gone);
  CHECK_IS(code_of([&] { return plain.update_start("ada@example.com", zus::action::activate, gone); }), zus::code::null);
  CHECK(!gone.next(60s) && gone.descriptor() == -1);
  CHECK_IS(plain.update_start("answer-never@example.com", zus::action::activate, watched), zus::code::ok);
  CHECK(plain.cancel_started(60s));
  CHECK_IS(watched.next().result().code(), zus::code::cancelled);

  test("stop_started ends what was not sent, and lets the rest finish");
  const zus::client one{config_for_cpp(box).concurrency(1)};
  const zus::cancel stop;
  for (int i = 0; i < 3; ++i)
    CHECK_IS(one.update_start("answer-slow-500@example.com", zus::action::activate, watched, nullptr, stop), zus::code::ok);
  std::this_thread::sleep_for(200ms);
  one.stop_started(stop);
  int done = 0;
  for (int i = 0; i < 3; ++i) {
    const auto event = watched.next(60s);
    if (event.result().ok()) ++done;
    else CHECK(event.result().code() == zus::code::cancelled && event.result().attempts() == 0);
  }
  CHECK(done == 1);
}

void forks(const sandbox& box) {
  test("after fork the child is told, and a client of its own starts calls");
  const zus::client zoom{config_for_cpp(box)};
  auto in_flight = zoom.deactivate_async("answer-slow-2000+fork@example.com");
  std::this_thread::sleep_for(500ms);
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    int bad = code_of([&] { return zoom.deactivate_async("ada@example.com").get().code(); }) != zus::code::forked;
    bad += code_of([&] { return zoom.deactivate_async("ada@example.com", [](zus::result) {}); }) != zus::code::forked;
    {
      const zus::client mine{config_for_cpp(box)};
      bad += !mine.deactivate_async("answer-204+child@example.com").get();
    }
    if (bad == 0) kill(getpid(), SIGKILL);  // valgrind takes what the parent's threads have for lost
    _exit(bad);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_NUMBER(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), SIGKILL);
  CHECK(in_flight.get());
}

#if ZUS_HPP_EXCEPTIONS
void terminates(const sandbox& box) {
  test("what a function throws ends the process, and the terminate handler can see it");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    std::set_terminate([] {
      try {
        std::rethrow_exception(std::current_exception());
      } catch (const std::runtime_error& thrown) {
        if (string(thrown.what()) == "boom") kill(getpid(), SIGKILL);
      }
    });
    const zus::client zoom{config_for_cpp(box)};
    static_cast<void>(zoom.deactivate_async("", [](const zus::result&) { throw std::runtime_error("boom"); }));
    std::this_thread::sleep_for(60s);
    _exit(99);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_NUMBER(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), SIGKILL);
}
#endif

}  // namespace

int main() {
  const char* const options[] = {"--users", "200", nullptr};
  sandbox box{};
  sandbox_start(&box, options);
#if ZUS_HPP_EXCEPTIONS
  if (FORKS_WITH_THREADS) terminates(box);
#endif
  futures(box);
  functions(box);
  callbacks(box);
  events(box);
  if (FORKS_WITH_THREADS) forks(box);
  sandbox_stop(&box);
  return finish();
}
