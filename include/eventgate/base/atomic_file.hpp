#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace eventgate {

/// Writes `text` to `file` so that a reader sees the old content or the new, never a part: it writes
/// `<file>.<process id>.part` and renames it. Creates missing directories. Does not call fsync.
///
/// Returns an empty text, or on failure the reason: `expected to write /cache/x.json: No space left on device`. Two
/// threads of a process must not write the same file at once; several processes may.
std::string write_file_atomically(const std::filesystem::path& file, std::string_view text);

/// Returns the path of the file in `folder` that caches the document named `key`: `prefix`, 16 hexadecimal digits and
/// `.json`. Two keys may share a path, so the file must name its key or the reader must tolerate another document.
std::filesystem::path cache_file_path(const std::filesystem::path& folder, std::string_view prefix,
                                      std::string_view key);

}  // namespace eventgate
