#include "document_cache.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>
#include <vector>

#include "eventgate/base/atomic_file.hpp"
#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kPrefix = "schema-";
/// Bytes that the smallest file takes on a disk.
constexpr std::uintmax_t kBlock = 4096;
/// Levels of objects and arrays in a file: those of a document, and one around it.
constexpr std::size_t kMaxDepth = 65;

std::uintmax_t size_on_disk(std::uintmax_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

/// Two places may share a file, and then replace each other's document: the file names its place.
fs::path file_of(const fs::path& folder, const std::string& place) { return cache_file_path(folder, kPrefix, place); }

struct File {
  fs::path path;
  fs::file_time_type written;
  std::uintmax_t size = 0;
};

/// Returns the files of documents in a folder, including those that a killed process has left half written.
std::vector<File> files_in(const fs::path& folder) {
  std::vector<File> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!entry->path().filename().string().starts_with(kPrefix)) continue;
    std::error_code gone;
    File file{entry->path(), fs::last_write_time(entry->path(), gone), 0};
    if (!gone) file.size = size_on_disk(fs::file_size(entry->path(), gone));
    if (!gone) files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

DocumentCache::DocumentCache(std::string cache_dir, std::uintmax_t max_size)
    : folder_(std::move(cache_dir)), max_size_(max_size) {}

std::optional<Json> DocumentCache::read(const std::string& place) const {
  std::ifstream in(file_of(folder_, place), std::ios::binary);
  if (!in) return std::nullopt;
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  // nlohmann's own parser takes quadratic time for large objects.
  auto file = parse_object_text(text, kMaxDepth);
  if (!file || file->size() != 2 || !file->contains("uri") || (*file)["uri"] != place) return std::nullopt;
  const auto document = file->find("document");
  if (document == file->end() || !document->is_object()) return std::nullopt;
  return std::move(*document);
}

std::string DocumentCache::write(const std::string& place, const Json& document) {
  const std::lock_guard lock(mutex_);
  const std::string text =
      Json{{"uri", place}, {"document", document}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string problem = write_file_atomically(file_of(folder_, place), text);
  if (!problem.empty()) return problem;
  // A file that is replaced counts twice here. The only effect is that the files are counted earlier.
  if (size_) *size_ += size_on_disk(text.size());
  if (!size_ || *size_ > max_size_) remove_oldest();
  return {};
}

void DocumentCache::remove_oldest() {
  std::vector<File> files = files_in(folder_);
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.written < b.written; });
  std::uintmax_t size = 0;
  for (const File& file : files) size += file.size;
  if (size > max_size_) {
    // Remove some more than needed, so that the next document does not count all files again.
    const std::uintmax_t goal = max_size_ - max_size_ / 8;
    for (const File& file : files) {
      if (size <= goal) break;
      std::error_code error;
      if (fs::remove(file.path, error)) size -= file.size;
    }
  }
  size_ = size;
}

}  // namespace eventgate
