// offboard [FILE]
//
// Deactivates every user in FILE (or on standard input), an id or e-mail address a line, and prints a line each as it
// ends. Ctrl-C stops within moments. What was not done is printed at the end as LEFT lines, so that
//   offboard leavers.txt | sed -n 's/^LEFT //p' > again.txt
// keeps what to run again. Exit status: 0 all done, 1 some failed, 2 usage error, 3 ended early, 130 stopped by Ctrl-C.
//
//   c++ -std=c++17 -Iinclude examples/cpp/offboard.cpp -Ltarget/release -lzus -Wl,-rpath,"$PWD/target/release" -pthread -o offboard
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "../c/interrupt.h"
#include "zus.hpp"

namespace {

// The lines without leading and trailing whitespace: the library sends a user ID as it is.
std::vector<std::string> read_ids(std::istream& in) {
  std::vector<std::string> ids;
  for (std::string line; std::getline(in, line);) {
    if (ids.empty() && line.compare(0, 3, "\xEF\xBB\xBF") == 0) line.erase(0, 3);  // the mark that Windows puts first
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    ids.push_back(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
  }
  return ids;
}

// Raised by Ctrl-C, from its making to its end.
class interruptible {
 public:
  interruptible() {
    if (interrupt_begin(cancel_.get()) != 0) throw std::runtime_error("no thread for Ctrl-C");
  }
  ~interruptible() { interrupt_end(); }
  interruptible(const interruptible&) = delete;
  interruptible& operator=(const interruptible&) = delete;
  const zus::cancel& cancel() const { return cancel_; }

 private:
  zus::cancel cancel_;
};

int offboard(const std::vector<std::string>& ids) {
  const interruptible ctrl_c;
  const zus::client zoom{zus::config::from_env()};
  std::vector<bool> left(ids.size(), true);
  std::size_t done = 0, failed = 0;

  const auto print = [&](std::size_t index, const zus::result_view& user) {
    if (user) {
      ++done;
      std::cout << "DONE " << ids[index] << std::endl;
    } else if (user.code() == zus::code::cancelled) {
      return true;  // it may or may not have reached Zoom: it stays to be done
    } else {
      ++failed;
      std::cout << "FAIL " << ids[index] << ' ' << zus::name(user.code()) << ' ' << user.http_status() << '/'
                << user.zoom_code() << ' ' << user.message() << " [" << user.tracking_id() << ']' << std::endl;
    }
    left[index] = false;
    return std::cout.good();  // else nobody reads any more: stop
  };
  const auto summary = zoom.update_many(ids, zus::action::deactivate, print, ctrl_c.cancel());

  for (std::size_t i = 0; i < ids.size(); ++i)
    if (left[i]) std::cout << "LEFT " << ids[i] << '\n';
  std::cerr << done << " done, " << failed << " failed, " << ids.size() - done - failed
            << " left: " << zus::text(summary.code) << '\n';
  switch (summary.code) {
    case zus::code::ok: return 0;
    case zus::code::partial: return 1;
    case zus::code::cancelled: return 130;
    default: return 3;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::ifstream file;
  if (argc == 2) file.open(argv[1]);
  if (argc > 2 || (argc == 2 && !file)) {
    std::cerr << "usage: offboard [FILE]\n";
    return 2;
  }
  try {
    const auto ids = read_ids(argc == 2 ? file : std::cin);
    return ids.empty() ? 0 : offboard(ids);
  } catch (const std::exception& mistake) {
    std::cerr << mistake.what() << '\n';
    return 2;
  }
}
