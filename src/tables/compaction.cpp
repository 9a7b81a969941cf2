#include "eventgate/tables/compaction.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

#include "eventgate/base/ascii.hpp"
#include "view_sql.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

constexpr TableEngine kDuckdb = TableEngine::duckdb;
constexpr std::size_t kMaxRunName = 64;

/// Returns when the newest or, if `oldest`, the oldest file with this ending was written. Nullopt: there is none.
std::optional<fs::file_time_type> written_at(const fs::path& folder, std::string_view ending, bool oldest) {
  std::optional<fs::file_time_type> found;
  std::error_code ignored;
  for (fs::directory_iterator it(folder, ignored), end; it != end; it.increment(ignored)) {
    if (!it->path().filename().native().ends_with(ending)) continue;
    const fs::file_time_type time = fs::last_write_time(it->path(), ignored);
    if (ignored) continue;
    if (!found || (oldest ? time < *found : time > *found)) found = time;
  }
  return found;
}

/// Returns the folder as a pattern, and the hours of one day below it.
std::string day_statement(const TopicHours& topic, const std::vector<Hour>& hours, const TableOptions& options,
                          const fs::path& target) {
  std::string files;
  for (const Hour hour : hours)
    files += (files.empty() ? "[\n      " : ",\n      ") +
             sql_literal(literal_pattern(options.folder + '/' + topic.topic + '/' + hour_path(hour)) + "/part-*.ndjson",
                         kDuckdb);
  const std::string condition = event_condition(*topic.table, options);
  return "COPY (\n  SELECT " + column_list(topic.table->columns, kDuckdb) + ", year, month, day, hour\n  FROM " +
         read_json_call(*topic.table, files + ']', "VARCHAR") + (condition.empty() ? "" : "\n  WHERE " + condition) +
         "\n) TO " + sql_literal(target.string(), kDuckdb) +
         "\n  (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (year, month, day, hour), OVERWRITE_OR_IGNORE true);\n";
}

}  // namespace

fs::path parquet_folder(const fs::path& output_path) {
  std::string folder = output_path.lexically_normal().string();
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  return folder + "-parquet";
}

bool is_run_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxRunName &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_ascii_alphanumeric(c) || c == '-' || c == '_'; });
}

fs::path run_folder(const fs::path& parquet, std::string_view run) { return parquet / (".new-" + std::string(run)); }

std::vector<Hour> hours_to_compact(const fs::path& events, const fs::path& parquet, const std::string& topic,
                                   std::chrono::system_clock::time_point limit) {
  std::vector<Hour> hours;
  for (const HourPartition& partition : hour_partitions(events / topic)) {
    if (partition.hour + std::chrono::hours(1) > limit) continue;
    const auto newest_event = written_at(partition.path, ".ndjson", false);
    if (!newest_event) continue;
    const fs::path place = parquet / topic / hour_path(partition.hour);
    const auto compacted = written_at(place, ".parquet", true);
    if (compacted && *newest_event < *compacted) continue;
    hours.push_back(partition.hour);
  }
  std::sort(hours.begin(), hours.end());
  return hours;
}

std::string compaction_statements(const std::vector<TopicHours>& topics, const TableOptions& options,
                                  const fs::path& folder, std::string_view run) {
  std::string text = "-- Run " + std::string(run) + ". Then: eventgate tables publish ... " + std::string(run) +
                     "\nBEGIN TRANSACTION;\n";
  std::string done;
  for (const TopicHours& topic : topics) {
    for (auto hour = topic.hours.begin(); hour != topic.hours.end();) {
      const auto day = std::chrono::floor<std::chrono::days>(*hour);
      std::vector<Hour> hours;
      for (; hour != topic.hours.end() && std::chrono::floor<std::chrono::days>(*hour) == day; ++hour)
        hours.push_back(*hour);
      text += day_statement(topic, hours, options, folder / topic.topic);
      for (const Hour one : hours)
        done += (done.empty() ? "" : ",\n    ") + sql_literal(topic.topic + '/' + hour_path(one), kDuckdb);
    }
  }
  // An error before makes this statement fail, too, because the transaction is aborted.
  text += "COPY (\n  SELECT unnest(CAST([" + done + "] AS VARCHAR[])) AS partition\n) TO " +
          sql_literal((folder / "partitions.csv").string(), kDuckdb) + " (FORMAT csv, HEADER false);\nCOMMIT;\n";
  return text;
}

}  // namespace eventgate
