// offboard [FILE]
//
// Deactivates every user in FILE (or on standard input), one user ID or e-mail address per line, and prints a line for each
// user when that user's update has ended: DONE or FAIL. Ctrl-C cancels the batch. At the end, a REMAINS line names each user
// who was not sent, or whose outcome is unknown, so that
//   offboard leavers.txt | sed -n 's/^REMAINS //p' > again.txt
// keeps the users for the next run. Exit status: 0 all done, 1 some failed, 2 usage error, 3 ended early, 130 Ctrl-C.
//
//   c++ -std=c++17 -Iinclude examples/cpp/offboard.cpp -Ltarget/release -lzus -Wl,-rpath,"$PWD/target/release" -pthread -o offboard
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../c/interrupt.h"
#include "zus.hpp"

namespace {

// The lines without leading and trailing whitespace: the library sends a user ID as it is.
std::vector<std::string> read_ids(std::istream& in) {
  std::vector<std::string> ids;
  for (std::string line; std::getline(in, line);) {
    if (ids.empty() && line.compare(0, 3, "\xEF\xBB\xBF") == 0) line.erase(0, 3);  // the byte order mark of a Windows file
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    ids.push_back(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
  }
  return ids;
}

// As long as it lives, Ctrl-C triggers its cancel.
class ctrl_c {
 public:
  ctrl_c() {
    if (interrupt_begin(cancel_.get()) != 0) throw std::runtime_error("no thread for Ctrl-C");
  }
  ~ctrl_c() { interrupt_end(); }
  ctrl_c(const ctrl_c&) = delete;
  ctrl_c& operator=(const ctrl_c&) = delete;
  const zus::cancel& cancel() const { return cancel_; }

 private:
  zus::cancel cancel_;
};

int offboard(const std::vector<std::string>& ids) {
  const ctrl_c interrupt;
  const zus::client zoom{zus::config::from_env()};
  std::vector<bool> remaining(ids.size(), true);
  std::size_t done = 0, failed = 0;

  const auto on_result = [&](std::size_t index, const zus::result_view& user) {
    if (user) {
      ++done;
      std::cout << "DONE " << ids[index] << std::endl;
    } else if (user.code() == zus::code::cancelled) {
      return true;  // the update may have been applied: the user remains
    } else {
      ++failed;
      std::cout << "FAIL " << ids[index] << ' ' << zus::name(user.code()) << ' ' << user.http_status() << '/'
                << user.zoom_code() << ' ' << user.message() << " [" << user.tracking_id() << ']' << std::endl;
    }
    remaining[index] = false;
    return std::cout.good();  // false, when the output can't be written, stops the batch
  };
  const auto summary = zoom.update_many(ids, zus::action::deactivate, on_result, interrupt.cancel());

  for (std::size_t i = 0; i < ids.size(); ++i)
    if (remaining[i]) std::cout << "REMAINS " << ids[i] << '\n';
  std::cerr << done << " done, " << failed << " failed, " << ids.size() - done - failed
            << " remaining: " << zus::text(summary.code) << '\n';
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
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
