// A caller in C++: call API OAUTH
#include <cstdio>
#include <string>

#include <zus.hpp>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  zus::config config;
  config.token("sandbox-token").api_url(argv[1]).oauth_url(argv[2]);
  zus::client zoom{config};
  const auto done = zoom.deactivate("ada@example.com");
  const auto refused = zoom.deactivate("nobody@example.com");
  const bool good = done && done.http_status() == 204 && !refused && refused.code() == zus::code::user_not_found;
  std::puts(good ? "call: passed" : "call: failed");
  return good ? 0 : 1;
}
