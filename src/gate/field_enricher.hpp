#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/json/event_patch.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/streams/stream_configs.hpp"
#include "field_index.hpp"
#include "text_arena.hpp"

namespace eventgate {

/// A random UUID (RFC 9562, version 4) in quotes. Each thread has a generator, seeded by the kernel.
std::array<char, 38> uuid_json();

/// `time` as ISO 8601 in UTC with milliseconds, in quotes: as JavaScript's toISOString writes it.
std::string timestamp_json(std::chrono::system_clock::time_point time);

/// What a request adds to each of its events (spec events, step 4), but for the query parameters.
///
/// One strand. Keeps its memory from request to request.
class FieldEnricher {
 public:
  /// Starts with a request. What is referred to must live until the next `begin`.
  void begin(const GateOptions& options, const RequestContext& context, TextArena& texts);

  /// Notes in `splice` what `event` lacks and `schema` declares. `config` is its stream's, or null.
  void add(const CompiledSchema& schema, const StreamConfig* config, FieldIndex& event, EventPatch& splice);

 private:
  enum class Source : std::uint8_t { uuid, received_at, header, client_address };
  struct Addition {
    const FieldPath* field;
    Source source;
    std::string_view header{};
    // Found out with the first event that lacks the field: most have most of them.
    bool found_out = false;
    bool wanted = false;       // by the schema, and there is a value
    std::string_view value{};  // JSON, but of a UUID, of which each event has its own
  };

  void plan(const CompiledSchema& schema, const StreamConfig* config);
  void find_out(Addition& addition, const CompiledSchema& schema);
  std::string_view header_json(std::string_view header);
  std::string_view client_address_json();
  std::string_view value_json(std::string_view value);

  const GateOptions* options_ = nullptr;
  const RequestContext* context_ = nullptr;
  TextArena* texts_ = nullptr;

  // Made when they are first needed.
  std::string_view received_at_;
  std::string_view client_address_;
  std::vector<std::pair<std::string_view, std::string_view>> headers_;  // name, value's JSON (empty: none)

  // Events of a request mostly share schema and stream, so what the last one was to get is kept.
  const CompiledSchema* planned_schema_ = nullptr;
  const StreamConfig* planned_config_ = nullptr;
  std::vector<Addition> plan_;
};

}  // namespace eventgate
