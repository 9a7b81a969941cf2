#include <fcntl.h>
#include <stdio.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

#include "eventgate/base/topic_name.hpp"
#include "eventgate/tables/compaction.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

/// Returns the partitions that the engine has finished, as `TOPIC/year=.../hour=...`. The file was written by an
/// engine, so each line is held to that form. Nullopt: there is no such file.
std::optional<std::vector<std::string>> finished_partitions(const fs::path& folder) {
  std::ifstream in(folder / "partitions.csv");
  if (!in) return std::nullopt;
  std::vector<std::string> partitions;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    const std::size_t slash = line.find('/');
    const std::string topic = line.substr(0, slash);
    if (slash == std::string::npos || !is_topic_name(topic) || topic == "." || topic == ".." ||
        !parse_hour_path(std::string_view(line).substr(slash + 1)))
      throw std::runtime_error("'" + (folder / "partitions.csv").string() +
                               "': expected TOPIC/year=/month=/day=/hour= on each line");
    partitions.push_back(line);
  }
  return partitions;
}

/// Puts the folder `from` at `to`. What is there is at `from` afterwards.
std::error_code put_into_place(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  if (error) return error;
  if (::rename(from.c_str(), to.c_str()) == 0) return {};  // nothing is there, or an empty folder
  if (errno != ENOTEMPTY && errno != EEXIST) return {errno, std::generic_category()};
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return {errno, std::generic_category()};
  // This file system exchanges no names, so that a query at this moment may miss the hour.
  const fs::path older = from.string() + ".older";
  fs::rename(to, older, error);
  if (!error) fs::rename(from, to, error);
  return error;
}

/// Removes the folders of runs that began before `run`. They were killed, or never published.
std::size_t remove_leftovers(const fs::path& parquet, const fs::path& run) {
  std::error_code ignored;
  const fs::file_time_type written = fs::last_write_time(run / "partitions.csv", ignored);
  std::vector<fs::path> older;
  for (fs::directory_iterator it(parquet, ignored), end; it != end; it.increment(ignored)) {
    if (!it->path().filename().native().starts_with(".new-") || it->path() == run) continue;
    if (fs::last_write_time(it->path(), ignored) <= written && !ignored) older.push_back(it->path());
  }
  for (const fs::path& path : older) fs::remove_all(path, ignored);
  fs::remove_all(run, ignored);
  return older.size();
}

}  // namespace

Published publish_run(const fs::path& parquet, std::string_view run) {
  const fs::path folder = run_folder(parquet, run);
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw std::runtime_error("'" + folder.string() + "': expected the folder of a run, as `tables compact` makes it");
  const auto partitions = finished_partitions(folder);
  if (!partitions)
    throw std::runtime_error(
        "'" + folder.string() +
        "': the engine has not finished this run, so nothing is published; run `tables compact` again");
  Published published;
  for (const std::string& partition : *partitions) {
    const fs::path from = folder / partition, to = parquet / partition;
    if (!fs::is_directory(from, error)) {
      ++published.empty;  // what is in its place stays
      continue;
    }
    error = put_into_place(from, to);
    if (error) {
      published.problems.push_back("'" + to.string() + "': " + error.message());
    } else {
      ++published.partitions;
    }
  }
  if (published.problems.empty()) published.leftovers = remove_leftovers(parquet, folder);
  return published;
}

}  // namespace eventgate
