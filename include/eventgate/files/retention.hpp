#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// Returns how long the partitions of a topic are kept after their hour. Nullopt: for ever.
using RetentionOfTopic = std::function<std::optional<std::chrono::hours>(std::string_view topic)>;

/// How far past its time the oldest partition may be. A gate deletes each hour, so an older one says that the clock or
/// an option is wrong.
inline constexpr std::chrono::hours kMaxOverdue{7 * 24};

/// The partitions that are kept no longer.
struct DuePartitions {
  std::vector<std::filesystem::path> paths;  ///< Oldest last, so that a caller takes it with `pop_back`.
  std::chrono::hours overdue{0};             ///< How far past its time the oldest is.

  bool is_suspicious() const { return overdue > kMaxOverdue; }
};

/// Returns the partitions of all topics below `directory` that are past their retention. The hour in the path counts,
/// never the time of a file.
DuePartitions due_partitions(const std::filesystem::path& directory, const RetentionOfTopic& retention,
                             std::chrono::system_clock::time_point now);

/// Returns the sentence that says why nothing is deleted: how old the oldest partition is, and what to do.
std::string suspicion_text(const DuePartitions& due, const std::filesystem::path& directory);

}  // namespace eventgate
