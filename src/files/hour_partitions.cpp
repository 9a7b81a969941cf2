#include "eventgate/files/hour_partitions.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

namespace eventgate {
namespace {

namespace fs = std::filesystem;

/// Returns the number in a name such as `month=11`, where `key` is `month=`.
std::optional<int> partition_value(std::string_view name, std::string_view key) {
  int value = 0;
  if (!name.starts_with(key)) return std::nullopt;
  name.remove_prefix(key.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc() || end != name.data() + name.size() || value < 0) return std::nullopt;
  return value;
}

/// Returns the directories in `parent` whose names are `key` and a number. Links are not followed.
std::vector<std::pair<int, fs::path>> partitions(const fs::path& parent, std::string_view key) {
  std::vector<std::pair<int, fs::path>> found;
  std::error_code ignored;
  for (fs::directory_iterator it(parent, ignored), end; it != end; it.increment(ignored)) {
    if (!fs::is_directory(it->symlink_status(ignored))) continue;
    if (const auto value = partition_value(it->path().filename().native(), key)) found.emplace_back(*value, it->path());
  }
  return found;
}

std::optional<Hour> make_hour(int year, int month, int day, int hour) {
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok() || hour > 23) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour);
}

}  // namespace

std::string hour_path(Hour hour) {
  const auto day = std::chrono::floor<std::chrono::days>(hour);
  const std::chrono::year_month_day date(day);
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "year=%04d/month=%02u/day=%02u/hour=%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>((hour - day).count()));
  return text.data();
}

fs::path part_file_path(const fs::path& directory, std::string_view topic, Hour hour, std::string_view writer) {
  return directory / topic / hour_path(hour) / ("part-" + std::string(writer) + ".ndjson");
}

std::string unique_writer_name(std::chrono::system_clock::time_point started_at) {
  const auto day = std::chrono::floor<std::chrono::days>(started_at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(started_at - day));
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ-%08x", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), static_cast<unsigned>(std::random_device()()));
  return text.data();
}

std::optional<Hour> parse_hour_path(std::string_view path) {
  int values[4] = {};
  std::size_t level = 0;
  for (const std::string_view key : {"year=", "month=", "day=", "hour="}) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const auto value = partition_value(path.substr(0, end), key);
    if (!value) return std::nullopt;
    values[level++] = *value;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (!path.empty()) return std::nullopt;
  return make_hour(values[0], values[1], values[2], values[3]);
}

std::vector<HourPartition> hour_partitions(const fs::path& topic_directory) {
  std::vector<HourPartition> found;
  for (const auto& [year, year_path] : partitions(topic_directory, "year="))
    for (const auto& [month, month_path] : partitions(year_path, "month="))
      for (const auto& [day, day_path] : partitions(month_path, "day="))
        for (const auto& [hour, path] : partitions(day_path, "hour="))
          if (const auto start = make_hour(year, month, day, hour)) found.push_back({*start, path});
  return found;
}

std::error_code remove_partition(fs::path partition) {
  std::error_code error;
  fs::remove_all(partition, error);
  if (error) return error;
  for (int level = 0; level < 3 && ::rmdir(partition.parent_path().c_str()) == 0; ++level)
    partition = partition.parent_path();
  return {};
}

}  // namespace eventgate
