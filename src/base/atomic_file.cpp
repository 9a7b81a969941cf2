#include "eventgate/base/atomic_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <ios>
#include <system_error>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

namespace fs = std::filesystem;

std::string write_file_atomically(const fs::path& file, std::string_view text) {
  const auto failure = [&](const std::error_code& reason) {
    return "expected to write " + file.string() + ": " + reason.message();
  };
  std::error_code error;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
  fs::path part = file;
  part += "." + std::to_string(::getpid()) + ".part";
  errno = 0;
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) {
    const std::error_code reason(errno != 0 ? errno : EIO, std::generic_category());
    fs::remove(part, error);
    return failure(reason);
  }
  fs::rename(part, file, error);
  if (!error) return {};
  std::error_code ignored;
  fs::remove(part, ignored);
  return failure(error);
}

fs::path cache_file_path(const fs::path& folder, std::string_view prefix, std::string_view key) {
  // FNV-1a with 64 bits.
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  std::string name(prefix);
  for (int shift = 60; shift >= 0; shift -= 4) name += kLowerHexDigits[hash >> shift & 15];
  return folder / (name + ".json");
}

}  // namespace eventgate
