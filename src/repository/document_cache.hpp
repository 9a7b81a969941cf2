#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace eventgate {

/// The documents of http(s) bases in files of one folder. Each place (URI) has a file `schema-<hash>.json`, which is
/// replaced atomically. If all files together exceed `max_size`, the oldest are removed.
///
/// Thread-safe. Several processes may share a folder.
class DocumentCache {
 public:
  /// `max_size` is the limit of all files together, in bytes on disk.
  explicit DocumentCache(std::string cache_dir, std::uintmax_t max_size = std::uintmax_t{128} << 20);

  /// Returns the document of `place`. Returns nullopt if there is none or its file is broken.
  std::optional<nlohmann::ordered_json> read(const std::string& place) const;

  /// Writes the document of `place`. Returns an empty text, or the reason of a failure.
  std::string write(const std::string& place, const nlohmann::ordered_json& document);

 private:
  void remove_oldest();

  const std::filesystem::path folder_;
  const std::uintmax_t max_size_;
  std::mutex mutex_;
  std::optional<std::uintmax_t> size_;  ///< Bytes of all files, or more. Counted when first needed.
};

}  // namespace eventgate
