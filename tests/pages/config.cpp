#include <iostream>
#include <zus.hpp>

int main() {
PAGE
  const zus::client zoom{zus::config::from_env()};
  return zoom.deactivate("ada@example.com") ? 0 : 1;
}
