#include "paths.hpp"

#include <cstdlib>

namespace eventgate {

namespace {
// A gate reads this one, which a developer's machine may have. Tests of it set it themselves.
[[maybe_unused]] const int kUnset = ::unsetenv("NODE_EXTRA_CA_CERTS");
}  // namespace

const std::string& source_dir() {
  static const std::string path = EVENTGATE_SOURCE_DIR;
  return path;
}

const std::string& shared_dir() {
  static const std::string path = EVENTGATE_SHARED;
  return path;
}

const std::string& gate_binary() {
  static const std::string path = EVENTGATE_BINARY;
  return path;
}

const std::string& axe_folder() {
  static const std::string path = EVENTGATE_AXE_FOLDER;
  return path;
}

const std::string& clients_folder() {
  static const std::string path = EVENTGATE_CLIENTS_FOLDER;
  return path;
}

const std::string& kafka_folder() {
  static const std::string path = EVENTGATE_KAFKA_FOLDER;
  return path;
}

}  // namespace eventgate
