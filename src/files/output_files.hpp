#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "eventgate/files/hour_partitions.hpp"
#include "output_file.hpp"

namespace eventgate {

/// The open files of a file sink: one for each topic if `output_path` is a directory, else a single one. It opens a
/// file again that was moved or removed, or after `reopen_all`.
///
/// Use on one thread.
class OutputFiles {
 public:
  /// If more are open, the one that was not used for longest is closed.
  static constexpr std::size_t kMaxOpen = 128;

  /// `output_path`: as FileSinkOptions::output_path. `sync`: new directories are synced to disk. `now` is part of the
  /// names of part files. Throws std::runtime_error naming `output_path` if it cannot be opened or created.
  OutputFiles(std::string output_path, bool sync, std::chrono::system_clock::time_point now);

  /// Returns true if there is a file for each topic.
  bool is_directory() const { return is_directory_; }
  /// The directory. Empty if there is a single file.
  const std::filesystem::path& directory() const { return directory_; }
  /// Returns true if the single output is a regular file that another process may write to.
  bool is_shared() const;

  /// Returns the file for `topic`, open for writing. Valid until `start_hour`, `close_all`, or kMaxOpen calls for other
  /// topics. Returns null and sets `error` if the file cannot be opened.
  OutputFile* open(const std::string& topic, std::string& error);

  /// Makes `open` open each file again before its next use, because of SIGHUP. Returns false if there is none to open.
  bool reopen_all();

  /// Closes the files of the hour before if `now` is in another hour. Returns true if it is.
  bool start_hour(std::chrono::system_clock::time_point now);

  void close_all() { files_.clear(); }

  /// A file that was opened again.
  struct Reopened {
    std::string path;
    std::string_view cause;  ///< `moved`, `removed` or `sighup`.
  };
  /// Returns the files that were opened again since the last call.
  std::vector<Reopened> take_reopened() { return std::exchange(reopened_, {}); }

 private:
  std::filesystem::path path_for(const std::string& topic) const;
  int open_file(const std::filesystem::path& path, OutputFile& current, OutputFile& opened);

  const std::string output_path_;
  const bool sync_;
  bool is_directory_ = false;
  std::filesystem::path directory_;
  std::string writer_name_;
  std::unordered_map<std::string, OutputFile> files_;  // by topic; the single file has an empty topic
  std::vector<Reopened> reopened_;
  std::uint64_t uses_ = 0;
  Hour hour_{};
};

}  // namespace eventgate
