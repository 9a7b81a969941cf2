#include "eventgate/files/retention.hpp"

#include <algorithm>
#include <utility>

#include "eventgate/files/hour_partitions.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

}  // namespace

DuePartitions due_partitions(const fs::path& directory, const RetentionOfTopic& retention,
                             std::chrono::system_clock::time_point now) {
  DuePartitions due;
  std::vector<HourPartition> found;
  std::error_code ignored;
  for (fs::directory_iterator it(directory, ignored), end; it != end; it.increment(ignored)) {
    if (!fs::is_directory(it->symlink_status(ignored))) continue;
    const auto kept_for = retention(it->path().filename().native());
    if (!kept_for) continue;
    for (HourPartition& partition : hour_partitions(it->path())) {
      const auto due_since = std::chrono::floor<std::chrono::hours>(now) - *kept_for - partition.hour;
      if (partition.hour + std::chrono::hours(1) > now - *kept_for) continue;
      due.overdue = std::max(due.overdue, due_since - std::chrono::hours(1));
      found.push_back(std::move(partition));
    }
  }
  std::sort(found.begin(), found.end(), [](const HourPartition& a, const HourPartition& b) { return a.hour > b.hour; });
  for (HourPartition& partition : found) due.paths.push_back(std::move(partition.path));
  return due;
}

std::string suspicion_text(const DuePartitions& due, const fs::path& directory) {
  return "'" + directory.string() + "': nothing is deleted, because '" + due.paths.back().string() + "' is " +
         std::to_string(std::chrono::floor<std::chrono::days>(due.overdue).count()) +
         " days past its time, and 7 at most are expected of a right clock and a right output_retention; " +
         "`eventgate tables purge --yes` deletes all the same";
}

}  // namespace eventgate
