#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "cli/service_manager.hpp"
#include "support/log_file.hpp"

// A gate that is built without libsystemd: EVENTGATE_SYSTEMD is OFF. This program has such a service_manager.cpp.

namespace eventgate {
namespace {

using testing::HasSubstr;

/// A variable of the environment while this lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* const name_;
};

TEST(WithoutSystemd, ThereIsNoInheritedSocket) { EXPECT_EQ(inherited_socket(), std::nullopt); }

TEST(WithoutSystemd, ASocketThatIsPassedIsRefused) {
  const Variable process("LISTEN_PID", std::to_string(::getpid()));
  const Variable sockets("LISTEN_FDS", "1");
  EXPECT_THAT([] { inherited_socket(); },
              testing::ThrowsMessage<std::runtime_error>(HasSubstr("built without libsystemd")));
}

TEST(WithoutSystemd, AServiceManagerThatListensIsToldNothing_WarnsOnce) {
  const LogFile file;
  const Variable socket("NOTIFY_SOCKET", "/run/none");
  ServiceManager manager(std::chrono::seconds(1));
  manager.status("starting");
  manager.stopping();
  EXPECT_THAT(file.msgs(), testing::ElementsAre(HasSubstr("built without libsystemd")));
}

TEST(WithoutSystemd, WithoutAServiceManagerNothingIsSaid) {
  const LogFile file;
  ServiceManager manager(std::chrono::seconds(1));
  manager.status("starting");
  EXPECT_THAT(file.msgs(), testing::IsEmpty());
}

}  // namespace
}  // namespace eventgate
