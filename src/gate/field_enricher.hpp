#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/gate/gate_types.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/json/event_patch.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/streams/stream_configs.hpp"
#include "field_index.hpp"
#include "text_arena.hpp"

namespace eventgate {

/// Adds fields that a client did not send and the schema declares: ids, times, header values and the client's address.
/// They are the same for all events of a request, except ids.
///
/// Use on one I/O thread. Keeps its memory from request to request.
class FieldEnricher {
 public:
  /// Starts a request. All arguments must live until the next `begin`.
  void begin(const GateOptions& options, const RequestContext& context, TextArena& texts);

  /// Adds to `patch` each field that `event` lacks and `schema` declares. `config` is that of the event's stream, or
  /// null.
  void add_fields(const CompiledSchema& schema, const StreamConfig* config, FieldIndex& event, EventPatch& patch);

  /// Appends the JSON object `http` that events of a stream with `config` get if their schema declares it:
  /// `request_headers`, and `client_ip` unless the config has `false` for it. Appends nothing if it would be empty.
  void append_http(std::string& out, const StreamConfig* config);

  /// Returns the JSON text of the request id that events of a stream with `config` get, or an empty text. Without a
  /// header it is made if `make_missing`, once for the request.
  std::string_view request_id_json(const StreamConfig* config, bool make_missing);

 private:
  enum class Source : std::uint8_t { uuid, received_at, header, client_address };
  struct Addition {
    const FieldPath* field;
    Source source;
    std::string_view header{};
    // Resolved lazily, when the first event of the request lacks this field: clients send most fields themselves.
    bool is_resolved = false;
    bool is_wanted = false;    // the schema declares the field, and there is a value
    std::string_view value{};  // JSON text; unused for a UUID, because each event gets its own
  };

  void plan(const CompiledSchema& schema, const StreamConfig* config);
  void resolve(Addition& addition, const CompiledSchema& schema);
  /// Calls `use` with each field that is filled from a header, and the header; an empty one for `false`.
  template <typename Use>
  void for_each_header_field(const StreamConfig* config, Use use) const;
  std::string_view header_json(std::string_view header);
  std::string_view client_address_json();
  std::string_view value_json(std::string_view value);

  const GateOptions* options_ = nullptr;
  const RequestContext* context_ = nullptr;
  TextArena* texts_ = nullptr;

  // Made at the first use.
  std::string_view received_at_;
  std::string_view client_address_;
  std::vector<std::pair<std::string_view, std::string_view>> headers_;  // name and JSON text; empty text: no value

  // The additions for the last event. Events of a request mostly share schema and stream.
  const CompiledSchema* planned_schema_ = nullptr;
  const StreamConfig* planned_config_ = nullptr;
  std::vector<Addition> plan_;
};

}  // namespace eventgate
