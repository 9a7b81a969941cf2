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
#include <utility>
#include <vector>

#include "eventgate/delivery/record.hpp"

namespace eventgate {

/// A record as the store keeps it.
struct SpooledRecord {
  std::int64_t id = 0;  ///< Counts up in the order in which records came to the gate.
  std::string topic;
  std::optional<std::string> message_key;
  std::string value;
  std::int64_t timestamp = 0;  ///< As in `Record`.
  Assurance assurance = Assurance::guaranteed;
  std::int64_t spooled_at = 0;       ///< Milliseconds since the epoch.
  std::string undeliverable_reason;  ///< Why Kafka will never take it. Such a record is set aside. Else empty.
  bool damaged = false;              ///< The checksum is wrong, so only `id` can be relied on.
};

/// Why a call of the store failed.
struct SpoolError {
  std::string message;
  bool damaged = false;    ///< The file is not what was written. `repair` may help.
  bool uncertain = false;  ///< The change may be found done after a kill or a power cut. False: nothing of it is done.
};

/// Makes `value()` of a result throw std::runtime_error.
[[noreturn]] void throw_exception_from_error(const SpoolError& error, const boost::source_location& where);

template <typename T>
using SpoolResult = boost::system::result<T, SpoolError>;

/// Records on disk, in a SQLite database: the file `spool.db` of a folder, with its write-ahead log beside it.
///
/// A transaction is done as a whole or not at all, also after a kill or a power cut. Each record has a checksum (CRC-32
/// of its fields), which shows if the disk has changed it. Several processes may open the store, but only one at a time
/// as its owner. Only the user of the process may read or write the files.
///
/// Use on one thread at a time.
class SpoolStore {
 public:
  enum class Access : std::uint8_t {
    own,    ///< The gate: creates the folder and the file, and holds a lock while it lives.
    share,  ///< A tool: works beside an owner or without one.
  };

  /// Throws std::runtime_error naming `folder` if it cannot be opened: it is not writable, it has another owner
  /// (`own`), or there is no spool in it (`share`).
  ///
  /// `own`: a damaged file is moved aside to `spool.db.damaged-N`, and the records that can be read are copied to a new
  /// file. `warnings` then says so.
  SpoolStore(const std::string& folder, Access access);
  ~SpoolStore();
  SpoolStore(const SpoolStore&) = delete;
  SpoolStore& operator=(const SpoolStore&) = delete;

  /// Returns the problems that were found and mended at the start or in `repair`.
  const std::vector<std::string>& warnings() const;

  /// For an owner: does with a damaged file what the constructor does. Throws std::runtime_error if that fails.
  void repair();

  struct Changes {
    std::span<const SpooledRecord* const> add;
    std::span<const std::int64_t> remove;
    std::span<const std::pair<std::int64_t, std::string>> set_aside;  ///< Ids, and why Kafka will never take them.
  };

  /// Does all of `changes`, or nothing. Added records are synced to disk when this returns. A removed record may be
  /// there again after a power cut.
  ///
  /// A commit that fails may leave all of its frames in the log, where the next start would find them. `apply` then
  /// overwrites the first of them. Only if that fails too is the error `uncertain`.
  SpoolResult<void> apply(const Changes& changes);

  /// Tries again to overwrite what a failed commit left in the log. Does nothing without such a commit.
  void discard_uncertain();

  /// Returns records of `topic` that will be replayed and whose id is above `after`, in order of id: at most `count`,
  /// and not much more than `bytes` of values.
  SpoolResult<std::vector<SpooledRecord>> read_topic(std::string_view topic, std::int64_t after, std::size_t count,
                                                     std::size_t bytes);

  /// Calls `visit` with every record that can be read, in order of id, until it returns false. Includes damaged records
  /// and those set aside. Returns an error only after all readable records.
  SpoolResult<void> visit_records(const std::function<bool(SpooledRecord&)>& visit);

  struct TopicRecords {
    std::string topic;
    std::size_t records = 0;
  };
  /// Returns the topics that have records to replay, and how many.
  SpoolResult<std::vector<TopicRecords>> topics();

  /// Returns how many of the records `ids` are in the store and will be replayed. O(n log n) for n ids.
  SpoolResult<std::size_t> count_queued(const std::vector<std::int64_t>& ids);

  /// Returns the number of records that are set aside.
  SpoolResult<std::size_t> set_aside_count();

  /// Returns the greatest id, or 0 if the store is empty.
  SpoolResult<std::int64_t> last_id();

  /// Returns when the first record that will be replayed was spooled, in milliseconds since the epoch. Returns nullopt
  /// without one.
  SpoolResult<std::optional<std::int64_t>> oldest_spooled_at();

  /// Removes the records `ids`, or all with nullopt. Returns how many were removed.
  SpoolResult<std::size_t> drop(std::optional<std::span<const std::int64_t>> ids);

  /// Makes the records that are set aside be replayed again. Returns their number.
  SpoolResult<std::size_t> requeue_set_aside();

  /// Returns the problems of the file, and each damaged record. Empty without any.
  SpoolResult<std::vector<std::string>> problems();

  /// Returns true if another process has changed the store since the last call.
  bool changed_by_others();

  /// Returns the used bytes of the file.
  std::size_t bytes() const;
  /// Returns the bytes that are free on the file system for the gate's user.
  std::size_t free_bytes() const;

  /// Gives a part of the file's unused space back to the file system. Returns true if there is more.
  bool shrink();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate
