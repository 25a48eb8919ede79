#include <cstdlib>
#include <iostream>

#include "zus.hpp"

int main() {
  // README
  zus::client zoom{zus::config::from_env()};  // ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET
  if (auto result = zoom.deactivate("ada@example.com"); !result)
    std::cout << zus::name(result.code()) << ": " << result.message() << '\n';

  auto batch = zoom.update_many({"grace@example.com", "linus@example.com"}, zus::action::deactivate, [](const zus::result_view& user) {
    std::cout << user.user_id() << ' ' << zus::name(user.code()) << '\n';
  });
  std::cout << batch.done << " done, " << batch.failed << " failed, " << batch.not_sent << " not sent\n";
  // README
}
