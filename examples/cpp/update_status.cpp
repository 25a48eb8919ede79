// update_status USER_ID deactivate|activate|clock_in|clock_out
//
// Updates one user and prints the result. Exit status: 0 done, 1 failed, 2 usage error. The credentials come from the
// environment (zus::config::from_env), never from the command line, where everybody on the machine can read them.
//
//   c++ -std=c++17 -Iinclude examples/cpp/update_status.cpp -Ltarget/release -lzus -Wl,-rpath,"$PWD/target/release" -o update_status
#include <iostream>
#include <map>
#include <string_view>

#include "zus.hpp"

int main(int argc, char** argv) {
  const std::map<std::string_view, zus::action> actions{{"activate", zus::action::activate},
                                                        {"deactivate", zus::action::deactivate},
                                                        {"clock_in", zus::action::clock_in},
                                                        {"clock_out", zus::action::clock_out}};
  const auto action = argc == 3 ? actions.find(argv[2]) : actions.end();
  if (action == actions.end()) {
    std::cerr << "usage: update_status USER_ID deactivate|activate|clock_in|clock_out\n";
    return 2;
  }
  try {
    const zus::client zoom{zus::config::from_env()};
    const auto result = zoom.update(argv[1], action->second);
    if (result.http_status() != 0) std::cout << "HTTP " << result.http_status() << '\n';
    if (result) return 0;
    std::cout << zus::name(result.code()) << ": " << result.message() << '\n';
    if (result.zoom_code() != 0) std::cout << "Zoom's code: " << result.zoom_code() << '\n';
    if (!result.tracking_id().empty()) std::cout << "tracking ID: " << result.tracking_id() << '\n';
    return 1;
  } catch (const zus::error& error) {  // a usage error: no credentials, an empty user ID
    std::cerr << zus::name(error.code()) << ": " << error.what() << '\n';
    return 2;
  }
}
