#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace eventgate::bench {

/// The rows about readers of streams (readers.cpp). `binary` is the gate's; `only` is a part of the rows' names.
void measure_readers(const std::filesystem::path& directory, const std::string& binary, const std::string& only);

// --- The other ends (reader_clients.cpp), in processes of their own

/// Each event of these rows has this character once, and nothing else that is sent has it.
constexpr char kMark = '~';

/// What a process of clients has counted, in memory that it shares with the bench.
struct SharedCounts {
  std::atomic<std::uint64_t> begun;      ///< Streams that have begun.
  std::atomic<std::uint64_t> ended;      ///< Connections that have ended.
  std::atomic<std::uint64_t> frames;     ///< Events, of all clients.
  std::atomic<std::uint64_t> bytes;      ///< Of all clients.
  std::atomic<std::uint64_t> target;     ///< The bench sets it, and then `reached_at` to 0.
  std::atomic<std::int64_t> reached_at;  ///< When `frames` reached it; as `monotonic_nanoseconds`.
  std::atomic<std::uint32_t> port;       ///< Of the raw server.
};

/// A file with SharedCounts. Throws std::runtime_error if it cannot be mapped.
class SharedFile {
 public:
  explicit SharedFile(const std::filesystem::path& path);
  ~SharedFile();
  SharedFile(const SharedFile&) = delete;

  SharedCounts& counts() const { return *counts_; }

 private:
  SharedCounts* counts_;
};

std::int64_t monotonic_nanoseconds();

/// Opens `count` connections that send `request`, and reads what comes. Does not return.
[[noreturn]] void run_clients(std::uint16_t port, std::size_t count, const std::filesystem::path& shared,
                              const std::string& request);

/// The least that a server can do: for each round that `commands`, a FIFO, has a number of (4 bytes), it writes `frame`
/// so many times to each connection, with one call. Does not return.
[[noreturn]] void run_raw_server(const std::filesystem::path& shared, const std::filesystem::path& commands,
                                 const std::string& frame, std::size_t frames_a_write);

}  // namespace eventgate::bench
