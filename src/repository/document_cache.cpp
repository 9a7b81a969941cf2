#include "document_cache.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kPrefix = "schema-";
/// Bytes: what a small file takes of a disk.
constexpr std::uintmax_t kBlock = 4096;
/// Levels of a file: those of a document, and one around it.
constexpr std::size_t kMaxDepth = 65;

std::uintmax_t size_on_disk(std::uintmax_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

/// FNV-1a. Two places that share a file only take turns in it: the file names its place.
fs::path file_of(const fs::path& folder, const std::string& place) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : place) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  char name[40];
  std::snprintf(name, sizeof name, "%s%016llx.json", kPrefix.data(), static_cast<unsigned long long>(hash));
  return folder / name;
}

struct File {
  fs::path path;
  fs::file_time_type written;
  std::uintmax_t size = 0;
};

/// The files of documents in a folder, also those left half written.
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
  // Not by nlohmann's own reader: it searches each object for each of its keys.
  auto file = parse_object_text(text, kMaxDepth);
  if (!file || file->size() != 2 || !file->contains("uri") || (*file)["uri"] != place) return std::nullopt;
  const auto document = file->find("document");
  if (document == file->end() || !document->is_object()) return std::nullopt;
  return std::move(*document);
}

std::string DocumentCache::write(const std::string& place, const Json& document) {
  const std::lock_guard lock(mutex_);
  const fs::path path = file_of(folder_, place);
  fs::path part = path;
  part += "." + std::to_string(::getpid()) + ".part";
  std::error_code error;
  fs::create_directories(folder_, error);
  const std::string text =
      Json{{"uri", place}, {"document", document}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) {
    fs::remove(part, error);
    return "expected to write " + part.string();
  }
  fs::rename(part, path, error);
  if (error) return "expected to write " + path.string() + ": " + error.message();
  // A file that was there before is counted twice, which only brings the next count forward.
  if (size_) *size_ += size_on_disk(text.size());
  if (!size_ || *size_ > max_size_) make_room();
  return {};
}

void DocumentCache::make_room() {
  std::vector<File> files = files_in(folder_);
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.written < b.written; });
  std::uintmax_t size = 0;
  for (const File& file : files) size += file.size;
  if (size > max_size_) {
    // Some more than needed, so that the next document does not count all again.
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
