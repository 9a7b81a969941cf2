#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "eventgate/delivery/fan_out.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "eventgate/io/inflight_bytes.hpp"
#include "eventgate/json/event_patch.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/telemetry/ledger.hpp"
#include "field_enricher.hpp"
#include "field_index.hpp"
#include "text_arena.hpp"

// Memory that requests use and give back, so that a request allocates almost nothing: RequestMemory lives as long as a
// request, Workspace only while its thread works on events without suspending.

namespace eventgate {

/// The schemas that a request's events name. Each schema_uri has one entry.
class RequestSchemas {
 public:
  struct Entry {
    std::string_view schema_uri;         ///< As the event has it.
    std::optional<SchemaResult> result;  ///< Nullopt: the schema is still to be loaded.
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// Returns the number of the entry for `schema_uri`, or kNone.
  std::uint32_t find(std::string_view schema_uri);

  /// Adds an entry and returns its number. `schema_uri` must have none yet, and must live until `clear`.
  std::uint32_t add(std::string_view schema_uri, std::optional<SchemaResult> result);

  Entry& operator[](std::uint32_t number) { return entries_[number]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }
  void clear();

 private:
  /// Entries up to which a linear search is faster than hashing.
  static constexpr std::size_t kLinearSearchMax = 16;

  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;  // only beyond kLinearSearchMax entries
  std::uint32_t last_ = 0;                                       // events in a row mostly name the same schema
};

/// Where an event's schema_uri comes from and which schema it names.
struct EventSchema {
  enum class Source : std::uint8_t {
    event,    ///< A string at `schema_uri_field`.
    request,  ///< The default for the request's events: the event has no such field.
    none,     ///< The event has no schema_uri.
  };
  Source source = Source::none;
  std::uint32_t entry = RequestSchemas::kNone;  ///< In RequestSchemas. kNone: the URI is never looked up.
  std::string_view schema_uri;
};

/// Consecutive records that share stream and schema, so that they are counted together.
struct RecordGroup {
  LedgerAccount* account;
  std::shared_ptr<const CompiledSchema> schema;
  std::size_t count;
};
/// The groups of a request. Nearly every request has one.
using RecordGroups = boost::container::small_vector<RecordGroup, 1>;

/// The live feed's view of a request's events, one LiveEvent each, in the order posted.
struct LiveNotes {
  std::vector<LiveEvent> events;
  std::vector<TextRange> added;         ///< The added ranges of all events.
  std::vector<std::size_t> added_ends;  ///< The end of each event's ranges in `added`.
  std::string query;

  void clear();
};

/// The memory of one request in flight.
struct RequestMemory {
  TextArena texts;
  RequestSchemas schemas;
  std::vector<EventSchema> event_schemas;  ///< Of each event.
  std::vector<Record> records;
  std::vector<std::size_t> event_indexes;  ///< For each record, the index of its event in the request.
  RecordGroups groups;
  std::string error_events;  ///< The text of a JSON array without its closing bracket.
  std::size_t error_event_count = 0;
  std::optional<InflightReservation> error_events_reservation;  ///< Set from the first error event on.
  LiveNotes live;                                               ///< Empty without a live feed.

  void clear();
};

/// Holds a RequestMemory that its thread lends, and returns it at the end.
///
/// Use on one I/O thread.
class MemoryLease {
 public:
  MemoryLease();
  MemoryLease(MemoryLease&&) = default;
  MemoryLease& operator=(MemoryLease&&) = delete;
  ~MemoryLease();

  RequestMemory& operator*() const { return *memory_; }
  RequestMemory* operator->() const { return memory_.get(); }

 private:
  static std::vector<std::unique_ptr<RequestMemory>>& pool();

  std::unique_ptr<RequestMemory> memory_;
};

/// What a thread needs to process one event after another, or to settle records. Valid until the next suspension.
struct Workspace {
  FieldEnricher enricher;
  FieldIndex fields;  ///< Of the event as completed so far.
  EventPatch patch;
  Validation validation;
  JsonNodes nodes, next_nodes;   ///< Of the event as completed so far, and of its next form.
  std::vector<TextRange> added;  ///< The ranges added to the event, if there is a live feed.
  std::string text;
  std::string buffer;
  std::vector<Outcome> delivery_outcomes;
  std::shared_ptr<const CompiledSchema> error_schema;  ///< The schema of error events when it was last looked at.
  bool error_schema_has_details = false;               ///< It declares one of kErrorDetails.
};

/// Returns the calling thread's workspace.
Workspace& workspace();

}  // namespace eventgate
