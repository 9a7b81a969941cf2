#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace eventgate {

/// The documents that http(s) bases gave, in files of one folder: each place has its own (`schema-<hash>.json`), which
/// takes the place of the one before at once. Beyond `max_size` the oldest files go.
///
/// Thread-safe. Several processes may share a folder.
class DocumentCache {
 public:
  /// `max_size` in bytes on disk, of all files together.
  explicit DocumentCache(std::string cache_dir, std::uintmax_t max_size = std::uintmax_t{128} << 20);

  /// The document kept of `place`, or nothing: there is none, or its file is broken.
  std::optional<nlohmann::ordered_json> read(const std::string& place) const;

  /// Keeps the document. Returns what went wrong, or an empty text.
  std::string write(const std::string& place, const nlohmann::ordered_json& document);

 private:
  void make_room();

  const std::filesystem::path folder_;
  const std::uintmax_t max_size_;
  std::mutex mutex_;
  std::optional<std::uintmax_t> size_;  ///< Bytes, at least; counted when first needed.
};

}  // namespace eventgate
