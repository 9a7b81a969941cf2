#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/delivery/sink.hpp"

namespace eventgate {

/// A record as the spool keeps it.
struct SpooledRecord {
  std::int64_t id = 0;  ///< Greater than that of every record that came to the gate before it.
  std::string topic;
  std::optional<std::string> message_key;
  std::string value;
  std::int64_t timestamp = 0;  ///< As in `Record`.
  Assurance assurance = Assurance::guaranteed;
  std::int64_t spooled_at = 0;  ///< Milliseconds since the epoch.
  std::string refusal;          ///< Why Kafka will never take it; such a record stays until it is dropped. Else empty.
  bool damaged = false;         ///< It is not what was written; nothing else of it is to be relied on but `id`.
};

/// Why the store did not do what was asked.
struct SpoolError {
  std::string message;
  bool damaged = false;    ///< The file is not what was written: `repair` may help.
  bool uncertain = false;  ///< It may be found done after a kill or a power cut; else nothing of it is done.
};

/// What `value()` of a result throws: std::runtime_error.
[[noreturn]] void throw_exception_from_error(const SpoolError& error, const boost::source_location& where);

template <typename T>
using SpoolResult = boost::system::result<T, SpoolError>;

/// Records on disk, in a SQLite database: the file `spool.db` of a folder, and its write-ahead log beside it.
///
/// A transaction is there as a whole or not at all, also after a kill or a power cut. Each record has a checksum
/// (CRC-32 of its fields), so that one which the disk has changed is known. Several processes may have the store open;
/// one at a time may own it. Only the user may read or write the file and its log.
///
/// One thread at a time.
class SpoolStore {
 public:
  enum class Access : std::uint8_t {
    own,    ///< Of the gate: makes the folder and the file, holds a lock while it lives.
    share,  ///< Of a tool, beside an owner or without one.
  };

  /// Throws std::runtime_error naming `folder` if it cannot be had: no folder that can be written, another owner
  /// (`own`), no spool there (`share`).
  ///
  /// `own`: a file that is damaged does not stop it. It is moved aside (`spool.db.damaged-N`), what can be read of it
  /// is taken over, and `warnings` says so.
  SpoolStore(const std::string& folder, Access access);
  ~SpoolStore();
  SpoolStore(const SpoolStore&) = delete;
  SpoolStore& operator=(const SpoolStore&) = delete;

  /// What was amiss at the start or in `repair`.
  const std::vector<std::string>& warnings() const;

  /// Of an owner: does what the constructor does with a damaged file. Throws std::runtime_error if that fails.
  void repair();

  struct Changes {
    std::span<const SpooledRecord* const> add;
    std::span<const std::int64_t> remove;
    std::span<const std::pair<std::int64_t, std::string>> refuse;  ///< Records and their `refusal`s.
  };

  /// All of `changes`, or nothing. What is added is synced to disk when this returns; what is removed may be there
  /// again after a power cut.
  ///
  /// A commit that fails may have left all of its frames in the log, where the next start would find them. `apply` then
  /// overwrites the first of them at once. Only if that fails too is the error `uncertain`.
  SpoolResult<void> apply(const Changes& changes);

  /// Tries again to overwrite what a commit that failed left in the log. Does nothing if nothing is left.
  void discard_uncertain();

  /// Up to `count` records, but not many more bytes than `bytes`, of `topic` that are to be replayed, in order of id,
  /// from above `after`.
  SpoolResult<std::vector<SpooledRecord>> next(std::string_view topic, std::int64_t after, std::size_t count,
                                               std::size_t bytes);

  /// Every record that can be read, in order of id, the refused and damaged too, until `visit` returns false. The error
  /// comes after all that can be read.
  SpoolResult<void> each(const std::function<bool(SpooledRecord&)>& visit);

  struct TopicRecords {
    std::string topic;
    std::size_t records = 0;
  };
  /// The topics that have records to be replayed, and how many.
  SpoolResult<std::vector<TopicRecords>> topics();

  /// How many of the records `ids` are there and to be replayed. O(n log n) for n ids.
  SpoolResult<std::size_t> queued_among(const std::vector<std::int64_t>& ids);

  /// Records that are kept but not replayed.
  SpoolResult<std::size_t> set_aside();

  /// The greatest id there is, or 0.
  SpoolResult<std::int64_t> last_id();

  /// When the oldest record that is to be replayed was spooled (milliseconds since the epoch), if there is one.
  SpoolResult<std::optional<std::int64_t>> oldest();

  /// Removes the records `ids`, or all (nothing given). How many there were.
  SpoolResult<std::size_t> drop(std::optional<std::span<const std::int64_t>> ids);

  /// Makes the refused records such as are to be replayed. How many there were.
  SpoolResult<std::size_t> retry_refused();

  /// What is wrong with the file, and each damaged record: empty if all is well.
  SpoolResult<std::vector<std::string>> problems();

  /// Whether another process has changed it since the last call.
  bool changed_by_others();

  /// Bytes of the file that hold something.
  std::size_t bytes() const;
  /// Bytes that are free on the file system for the gate's user.
  std::size_t free_bytes() const;

  /// Gives some of what is empty in the file back to the file system. Whether there is more.
  bool shrink();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate
