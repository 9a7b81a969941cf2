#include "eventgate/telemetry/process_metrics.hpp"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

/// Returns when the machine booted, in seconds since the epoch, or nullopt if that cannot be read.
std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string name; file >> name;) {
    double value = 0;
    if (name == "btime" && file >> value) return value;
    std::getline(file, name);
  }
  return std::nullopt;
}

/// Returns the fields of /proc/self/stat from the third on (proc(5)), or none if it cannot be read. The third, a
/// letter, is 0.
std::vector<double> stat_fields() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');  // the name of the program may have blanks and parentheses
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  std::string state;
  rest >> state;
  std::vector<double> fields{0};
  for (double value = 0; rest >> value;) fields.push_back(value);
  return fields;
}

MetricFamily family(const char* name, const char* help, MetricType type, double value) {
  MetricFamily made;
  made.name = name;
  made.help = help;
  made.type = type;
  prometheus::ClientMetric& metric = made.metric.emplace_back();
  if (type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return made;
}

}  // namespace

struct ProcessMetrics::Impl : prometheus::Collectable {
  std::vector<MetricFamily> Collect() const override {
    // Indexes of the fields that proc(5) numbers 14, 15, 22 and 24.
    constexpr std::size_t kUserTicks = 14 - 3, kSystemTicks = 15 - 3, kStartTicks = 22 - 3, kPages = 24 - 3;
    const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    std::vector<MetricFamily> families;
    if (const std::vector<double> fields = stat_fields(); fields.size() > kPages) {
      if (boot_)
        families.push_back(family("process_start_time_seconds", "When the process started, in seconds since the epoch.",
                                  MetricType::Gauge, *boot_ + fields[kStartTicks] / ticks));
      families.push_back(family("process_cpu_seconds_total", "CPU time of the process in seconds, user and system.",
                                MetricType::Counter, (fields[kUserTicks] + fields[kSystemTicks]) / ticks));
      families.push_back(family("process_resident_memory_bytes", "Resident memory in bytes.", MetricType::Gauge,
                                fields[kPages] * static_cast<double>(::sysconf(_SC_PAGESIZE))));
    }
    std::error_code error;
    const auto open = std::filesystem::directory_iterator("/proc/self/fd", error);
    if (!error)
      families.push_back(family("process_open_fds", "Open file descriptors.", MetricType::Gauge,
                                static_cast<double>(std::distance(begin(open), end(open)))));
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
      families.push_back(family("process_max_fds", "Maximum number of open file descriptors.", MetricType::Gauge,
                                static_cast<double>(limit.rlim_cur)));
    return families;
  }

 private:
  const std::optional<double> boot_ = boot_time();
};

ProcessMetrics::ProcessMetrics(Metrics& metrics) : impl_(std::make_shared<Impl>()) { metrics.add(impl_); }

ProcessMetrics::~ProcessMetrics() = default;

}  // namespace eventgate
