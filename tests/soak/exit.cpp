// exit WAY: a program that ends in the middle of 100 started calls, none of which the server ever responds to. Whatever the
// way, it ends at once, with the status that it wanted. Where the sandbox is comes from the environment.
#include <csignal>
#include <cstdio>
#include <thread>

#include "zus.hpp"

#ifdef __SANITIZE_THREAD__
#  error "exit is a race by design"
#endif

namespace {

using namespace std::chrono_literals;

enum { PENDING = 100 };
const char* const silent = "answer-never@example.com";

zus::config settings() { return zus::config::from_env().rate(0).concurrency(PENDING + 10); }

// Ends the process when it is used after its end.
struct words {
  std::vector<int> said = std::vector<int>(3);
  ~words() { said.clear(); }
};

// Waits for its own call as it ends.
struct tidy {
  zus::cancel stop{};
  std::future<zus::result> call{};
  ~tidy() {
    stop.trigger();
    if (call.valid() && call.get().code() != zus::code::cancelled) std::fputs("a call that was not cancelled\n", stderr);
  }
};

void start(const zus::client& zoom, std::vector<std::future<zus::result>>& futures, const zus::queue& queue, words& used) {
  for (int i = 0; i < PENDING; ++i) {
    if (i % 3 == 0) futures.push_back(zoom.deactivate_async(silent));
    if (i % 3 == 1) static_cast<void>(zoom.deactivate_async(silent, [&](const zus::result&) { ++used.said.at(1); }));
    if (i % 3 == 2) static_cast<void>(zoom.update_start(silent, zus::action::activate, queue));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string way = argc > 1 ? argv[1] : "";
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, nullptr);

  if (way == "statics" || way == "function" || way == "log") {
    static std::atomic<bool> all_started{false};
    static words old;
    static tidy mine;
    static std::vector<std::future<zus::result>> futures;
    static zus::queue queue;
    static const zus::client zoom{settings().log(zus::log_level::debug, [way](zus::log_level, std::string_view line) {
      old.said.at(2) += static_cast<int>(line.size());
      if (way == "log" && all_started) std::exit(7);
    })};
    static words young;  // ends before the client, which cancels the calls and would have their functions called
    if (way != "log") mine.call = zoom.deactivate_async(silent, mine.stop);  // it would wait for the call that exits
    start(zoom, futures, queue, young);
    all_started = true;
    if (way == "function") {
      static_cast<void>(zoom.deactivate_async("", [](const zus::result&) { std::exit(6); }));
      std::this_thread::sleep_for(60s);
    }
    if (way == "log") {
      static_cast<void>(zoom.deactivate_async("nobody@example.com"));
      std::this_thread::sleep_for(60s);
    }
    std::this_thread::sleep_for(20ms);
    return 5;
  }

  try {
    words used;
    std::vector<std::future<zus::result>> futures;
    const zus::queue queue;
    const zus::client zoom{settings()};
    start(zoom, futures, queue, used);
    std::this_thread::sleep_for(std::chrono::milliseconds(std::rand() % 50));
    if (way == "exit") std::exit(3);
    if (way == "exception") throw std::runtime_error("out of here");
    if (way == "interrupt") {
      std::thread([&] {
        int number;
        sigwait(&interrupt, &number);
        std::exit(130);
      }).detach();
      kill(getpid(), SIGINT);
      futures.back().wait();
      return 1;
    }
    if (way == "killed") {
      pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
      kill(getpid(), SIGINT);
      futures.back().wait();
      return 1;
    }
  } catch (const std::runtime_error&) {
    return 4;
  }
  return 0;
}
