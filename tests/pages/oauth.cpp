#include <cstdlib>
#include <iostream>
#include <zus.hpp>

int main() {
  const auto env = [](const char* name) { return std::getenv(name); };
  const zus::client zoom{zus::config::from_env().oauth(env("ZOOM_ACCOUNT_ID"), env("ZOOM_CLIENT_ID"), env("ZOOM_CLIENT_SECRET"))};
PAGE
}
