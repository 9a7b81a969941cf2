#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace eventgate {

/// Whether `holds` becomes true, looked at often for up to `patience`.
inline bool becomes(const std::function<bool()>& holds, std::chrono::seconds patience = std::chrono::seconds(30)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace eventgate
