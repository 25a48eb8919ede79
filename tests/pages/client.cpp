#include <iostream>
#include <zus.hpp>

int main() {
  const zus::client zoom{zus::config::from_env()};
PAGE
}
