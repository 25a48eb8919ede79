#include <cstdlib>
#include <iostream>

#include "zus.hpp"

int main() {
  // README
  zus::client zoom{zus::config::from_env()};  // ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET
  if (auto answer = zoom.deactivate("ada@example.com"); !answer)
    std::cout << zus::name(answer.code()) << ": " << answer.message() << '\n';

  auto all = zoom.update_many({"grace@example.com", "linus@example.com"}, zus::action::deactivate, [](const zus::result_view& user) {
    std::cout << user.user_id() << ' ' << zus::name(user.code()) << '\n';
  });
  std::cout << all.done << " done, " << all.failed << " failed, " << all.unsent << " not sent\n";
  // README
}
