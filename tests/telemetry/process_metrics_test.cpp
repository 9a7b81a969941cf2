#include "eventgate/telemetry/process_metrics.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {
namespace {

/// The value of a metric without labels; less than 0 if it is not there.
double value(const Metrics& metrics, const std::string& name) {
  const std::string text = "\n" + metrics.text();
  const std::size_t at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
}

TEST(ProcessMetrics, TellOfThisProcess) {
  Metrics metrics("gate");
  const ProcessMetrics process(metrics);
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_LE(value(metrics, "process_start_time_seconds"), now + 2);  // the boot time is in whole seconds
  EXPECT_GT(value(metrics, "process_start_time_seconds"), now - 86400);
  EXPECT_GE(value(metrics, "process_cpu_seconds_total"), 0);
  EXPECT_GT(value(metrics, "process_resident_memory_bytes"), 100'000);
  EXPECT_GE(value(metrics, "process_max_fds"), value(metrics, "process_open_fds"));
}

TEST(ProcessMetrics, CountFileDescriptorsEachTime) {
  Metrics metrics("gate");
  const ProcessMetrics process(metrics);
  const double before = value(metrics, "process_open_fds");
  ASSERT_GT(before, 0);
  std::vector<int> files;
  for (int i = 0; i < 5; ++i) files.push_back(::open("/dev/null", O_RDONLY));
  EXPECT_EQ(value(metrics, "process_open_fds"), before + 5);
  for (const int file : files) ::close(file);
}

TEST(ProcessMetrics, AreGoneWithTheirOwner) {
  Metrics metrics("gate");
  { const ProcessMetrics process(metrics); }
  EXPECT_EQ(value(metrics, "process_open_fds"), -1);
}

}  // namespace
}  // namespace eventgate
