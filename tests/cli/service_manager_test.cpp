#include "cli/service_manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "support/notify_socket.hpp"

namespace eventgate {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A service manager that listens, with what it says in the environment.
class Manager {
 public:
  explicit Manager(const char* watchdog_usec = nullptr) {
    ::setenv("NOTIFY_SOCKET", socket.path().c_str(), 1);
    ::unsetenv("WATCHDOG_PID");
    if (watchdog_usec) ::setenv("WATCHDOG_USEC", watchdog_usec, 1);
  }
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
  }

  NotifySocket socket;
};

std::vector<std::string> nothing() { return {}; }
void turned(const std::function<void()>& done) { done(); }

TEST(ServiceManager, IsToldOfReadyAndOfWhatIsStale) {
  const Manager manager;
  ServiceManager service(std::chrono::hours(1));
  service.watch({[] { return std::nullopt; }, [] { return std::vector<std::string>{"a\nREADY=0", "b"}; }, turned});
  EXPECT_EQ(manager.socket.next(), "READY=1\nSTATUS=ready; stale: a READY=0; b");
}

TEST(ServiceManager, HearsWhatIsMissingUntilTheServiceIsReady) {
  const Manager manager;
  std::atomic<bool> ready{false};
  ServiceManager service(std::chrono::hours(1));
  service.watch({[&] { return ready ? std::nullopt : std::optional<std::string>("no Kafka"); }, nothing, turned});
  EXPECT_EQ(manager.socket.next(), "STATUS=not ready: no Kafka");
  ready = true;
  EXPECT_EQ(manager.socket.next(), "READY=1\nSTATUS=ready");
}

TEST(ServiceManager, HearsOfReadyWhenTheTimeToStartIsOver) {
  const Manager manager;
  ServiceManager service(std::chrono::milliseconds(0));
  service.watch({[] { return std::optional<std::string>("no Kafka"); }, nothing, turned});
  EXPECT_EQ(manager.socket.next(), "READY=1\nSTATUS=not ready: no Kafka");
}

TEST(ServiceManager, GetsNoWatchdogWhileAnIoThreadHangs) {
  const Manager manager("40000");
  std::atomic<int> looks{0};
  std::atomic<bool> hangs{false};
  std::promise<std::function<void()>> hanging;
  ServiceManager service(std::chrono::hours(1));
  // What is missing is another thing each time, so that every look sends a message.
  service.watch({[&] { return std::optional<std::string>("look " + std::to_string(++looks)); }, nothing,
                 [&](std::function<void()> done) {
                   if (!hangs) return done();
                   hanging.set_value(std::move(done));
                 }});
  for (int i = 0; i < 3; ++i) manager.socket.next_with("WATCHDOG=1");
  hangs = true;
  std::function<void()> come_round;
  // The messages are read meanwhile: the socket holds few.
  std::future<std::function<void()>> found = hanging.get_future();
  while (found.wait_for(std::chrono::seconds(0)) != std::future_status::ready) manager.socket.next();
  come_round = found.get();
  // WATCHDOG may have been sent with the look that hangs, and not after it.
  manager.socket.next_with("look " + std::to_string(looks + 1));
  for (int i = 0; i < 5; ++i) EXPECT_THAT(manager.socket.next(), AllOf(HasSubstr("look "), Not(HasSubstr("WATCHDOG"))));
  hangs = false;
  come_round();
  EXPECT_THAT(manager.socket.next_with("WATCHDOG=1"), HasSubstr("look "));
}

TEST(ServiceManager, AReloadThatIsRefusedIsInTheStatus) {
  const Manager manager;
  ServiceManager service(std::chrono::hours(1));
  service.watch({[] { return std::nullopt; }, nothing, turned});
  manager.socket.next_with("READY=1");
  service.reloading();
  EXPECT_THAT(manager.socket.next(), testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+\nSTATUS=reloading"));
  service.reloaded("bad.yaml: port is many\nmore");
  EXPECT_EQ(manager.socket.next_with("READY=1"),
            "READY=1\nSTATUS=the last reload was refused: bad.yaml: port is many more");
  EXPECT_EQ(manager.socket.next(), "STATUS=ready; the last reload was refused: bad.yaml: port is many more");
  service.reloaded(std::nullopt);
  EXPECT_EQ(manager.socket.next(), "READY=1\nSTATUS=reloaded");
}

TEST(ServiceManager, HearsNothingOfReloadsBeforeReadyNorOfReadyAfterStopping) {
  const Manager manager;
  std::atomic<bool> ready{false};
  ServiceManager service(std::chrono::hours(1));
  service.watch({[&] { return ready ? std::nullopt : std::optional<std::string>("no Kafka"); }, nothing, turned});
  EXPECT_EQ(manager.socket.next(), "STATUS=not ready: no Kafka");
  service.reloading();
  service.reloaded(std::nullopt);
  service.stopping();
  EXPECT_EQ(manager.socket.next(), "STOPPING=1");
  ready = true;
  EXPECT_EQ(manager.socket.next(), "STATUS=ready");
}

TEST(ServiceManager, ThatIsNotThereOrSaysNonsenseStopsNothing) {
  ServiceManager alone(std::chrono::hours(1));
  alone.watch({[]() -> std::optional<std::string> { std::abort(); }, nothing, turned});
  alone.stopping();
  const Manager manager("often");
  ServiceManager service(std::chrono::hours(1));
  service.watch({[] { return std::nullopt; }, nothing, turned});
  EXPECT_EQ(manager.socket.next(), "READY=1\nSTATUS=ready");
}

}  // namespace
}  // namespace eventgate
