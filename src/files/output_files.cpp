#include "output_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace eventgate {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kCheckInterval{1};  // between checks whether a file is still at its path
constexpr int kOpenTries = 3;  // another process may delete the new directory before the file is in it

std::string_view reopen_cause(OutputFile::Place place) {
  return place == OutputFile::Place::moved ? "moved" : "removed";
}

/// Syncs the directories from that of `path` up to `top`, so that new ones survive a power cut.
void sync_directories(fs::path path, const fs::path& top) {
  while (path.has_parent_path() && path != path.parent_path()) {
    path = path.parent_path();
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
      ::fsync(fd);
      ::close(fd);
    }
    if (path == top) return;
  }
}

}  // namespace

OutputFiles::OutputFiles(std::string output_path, bool sync, std::chrono::system_clock::time_point now)
    : output_path_(std::move(output_path)), sync_(sync), writer_name_(unique_writer_name(now)) {
  std::error_code error;
  int failed = 0;
  if (output_path_ == "stdout") {
    failed = OutputFile::open_stdout(files_[""]);
  } else if (output_path_.ends_with('/') || fs::is_directory(output_path_, error)) {
    is_directory_ = true;
    directory_ = fs::path(output_path_);
    if (!directory_.has_filename()) directory_ = directory_.parent_path();
    fs::create_directories(directory_, error);
    failed = error ? error.value() : ::access(directory_.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
  } else {
    failed = OutputFile::open(output_path_, false, files_[""]);
  }
  if (failed != 0)
    throw std::runtime_error("output_path '" + output_path_ +
                             "': expected a file, `stdout` or a directory that can be written: " + error_text(failed));
}

bool OutputFiles::is_shared() const {
  const auto found = files_.find("");
  if (is_directory_ || output_path_ == "stdout" || found == files_.end()) return false;
  return found->second.is_regular() && !found->second.is_exclusive();
}

fs::path OutputFiles::path_for(const std::string& topic) const {
  return is_directory_ ? part_file_path(directory_, topic, hour_, writer_name_) : fs::path(output_path_);
}

int OutputFiles::open_file(const fs::path& path, OutputFile& current, OutputFile& opened) {
  if (output_path_ == "stdout") return OutputFile::open_stdout(opened);
  if (!is_directory_) {
    current.close();  // releases the lock, which the new file needs
    return OutputFile::open(path, false, opened);
  }
  int error = 0;
  for (int tries = 0; tries < kOpenTries; ++tries) {
    std::error_code failed;
    fs::create_directories(path.parent_path(), failed);
    error = failed ? failed.value() : OutputFile::open(path, true, opened);
    if (error != ENOENT) break;
  }
  return error;
}

OutputFile* OutputFiles::open(const std::string& topic, std::string& error) {
  const SteadyTime now = std::chrono::steady_clock::now();
  OutputFile& file = files_[topic];
  file.last_use = ++uses_;
  if (file.is_open() && file.reopen_cause().empty() && now - file.checked_at >= kCheckInterval) {
    if (const OutputFile::Place place = file.place(); place != OutputFile::Place::here)
      file.request_reopen(reopen_cause(place));
  }
  file.checked_at = now;
  if (file.is_open() && file.reopen_cause().empty()) return &file;

  const std::string_view cause = file.reopen_cause();
  const fs::path path = path_for(topic);
  OutputFile opened;
  if (const int failed = open_file(path, file, opened); failed != 0) {
    error = "Opening the output '" + path.string() + "' failed: " + error_text(failed);
    file.close();
    if (cause.empty()) files_.erase(topic);
    return nullptr;
  }
  file = std::move(opened);
  file.last_use = uses_;
  file.checked_at = now;
  if (!cause.empty()) reopened_.push_back({path.string(), cause});
  if (sync_ && file.is_regular()) sync_directories(path, directory_);
  if (files_.size() > kMaxOpen)
    files_.erase(std::min_element(files_.begin(), files_.end(),
                                  [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; }));
  return &file;
}

bool OutputFiles::reopen_all() {
  bool any = false;
  for (auto& [topic, file] : files_) {
    if (!file.is_open() || !file.is_watched()) continue;
    file.request_reopen("sighup");
    any = true;
  }
  return any;
}

bool OutputFiles::start_hour(std::chrono::system_clock::time_point now) {
  const Hour hour = std::chrono::floor<std::chrono::hours>(now);
  if (!is_directory_ || hour == hour_) return false;
  hour_ = hour;
  files_.clear();
  return true;
}

}  // namespace eventgate
