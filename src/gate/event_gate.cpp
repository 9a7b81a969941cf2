#include "eventgate/gate/event_gate.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/container/small_vector.hpp>
#include <charconv>
#include <exception>
#include <functional>
#include <limits>
#include <unordered_map>

#include "error_event.hpp"
#include "error_texts.hpp"
#include "eventgate/base/timestamp.hpp"
#include "eventgate/base/topic_name.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/streams/topic.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "field_enricher.hpp"
#include "field_index.hpp"
#include "ledger_event.hpp"
#include "message_key.hpp"
#include "schema_loads.hpp"
#include "text_arena.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kUnknown = Telemetry::kUnknown;
constexpr std::string_view kValidation = "validation";
constexpr std::string_view kMalformedJson = "malformed_json";
constexpr std::string_view kRecord = "record";

/// Rounds of filling in defaults that bring others. More would need a schema deeper than one may be.
constexpr int kMaxDefaultRounds = 64;
/// Objects that additions and defaults may put inside those of the client.
constexpr std::size_t kAddedDepth = 128;

/// Who made an event: a client, or the gate itself.
enum class Origin { client, error_events, ledger };

/// The schemas that a request's events name, each looked up once.
class RequestSchemas {
 public:
  struct Entry {
    std::string_view schema_uri;         // as the event has it
    std::optional<SchemaResult> result;  // nothing: to be loaded
  };

  Entry* find(std::string_view schema_uri) {
    if (last_ < entries_.size() && entries_[last_].schema_uri == schema_uri) return &entries_[last_];
    if (entries_.size() <= kFew) {
      for (last_ = 0; last_ < entries_.size(); ++last_)
        if (entries_[last_].schema_uri == schema_uri) return &entries_[last_];
      return nullptr;
    }
    const auto found = places_.find(schema_uri);
    if (found == places_.end()) return nullptr;
    last_ = found->second;
    return &entries_[last_];
  }

  void add(std::string_view schema_uri, std::optional<SchemaResult> result) {
    last_ = entries_.size();
    entries_.push_back({schema_uri, std::move(result)});
    if (entries_.size() <= kFew) return;
    if (places_.empty())
      for (std::size_t i = 0; i < last_; ++i) places_.emplace(entries_[i].schema_uri, i);
    places_.emplace(schema_uri, last_);
  }

  std::vector<Entry>& entries() { return entries_; }

  void clear() {
    entries_.clear();
    places_.clear();
    last_ = 0;
  }

 private:
  static constexpr std::size_t kFew = 16;
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, std::size_t> places_;  // if there are more than a few
  std::size_t last_ = 0;
};

/// Records in a row that are counted alike.
struct Run {
  LedgerAccount* account;
  std::shared_ptr<const CompiledSchema> schema;
  std::size_t count;
};
/// Those of a request; mostly they are one.
using Runs = boost::container::small_vector<Run, 1>;

/// What the live feed is told of a request's events: one each, in their order.
struct LiveNotes {
  std::vector<LiveEvent> events;
  std::vector<TextRange> added;         // of all events
  std::vector<std::size_t> added_ends;  // of each event
  std::string query;

  void clear() {
    events.clear();
    added.clear();
    added_ends.clear();
    query.clear();
  }
};

/// The memory of one request under way.
struct RequestMemory {
  TextArena texts;
  RequestSchemas schemas;
  std::vector<Record> records;
  std::vector<std::size_t> places;  // in the request, of each record
  Runs runs;
  std::string error_events;  // a JSON array's text, without its end
  std::size_t error_events_count = 0;
  std::optional<InflightReservation> error_events_share;  // of `error_events`, from the first of them on
  LiveNotes live;                                         // empty if there is no live feed

  void clear() {
    texts.clear();
    schemas.clear();
    records.clear();
    places.clear();
    runs.clear();
    error_events.clear();
    error_events_count = 0;
    error_events_share.reset();
    live.clear();
  }
};

/// A request's memory, lent by the thread.
class MemoryLease {
 public:
  MemoryLease() {
    auto& free = pool();
    if (free.empty()) {
      memory_ = std::make_unique<RequestMemory>();
    } else {
      memory_ = std::move(free.back());
      free.pop_back();
    }
  }
  MemoryLease(MemoryLease&&) = default;
  MemoryLease& operator=(MemoryLease&&) = delete;
  ~MemoryLease() {
    if (!memory_) return;
    if (pool().size() >= kMaxFree || memory_->error_events.capacity() > kMaxKept ||
        memory_->records.capacity() * sizeof(Record) > kMaxKept ||
        memory_->live.events.capacity() * sizeof(LiveEvent) > kMaxKept)
      return;
    memory_->clear();
    pool().push_back(std::move(memory_));
  }
  RequestMemory& operator*() const { return *memory_; }
  RequestMemory* operator->() const { return memory_.get(); }

 private:
  static constexpr std::size_t kMaxFree = 64;
  static constexpr std::size_t kMaxKept = 64 * 1024;  // bytes

  static std::vector<std::unique_ptr<RequestMemory>>& pool() {
    thread_local std::vector<std::unique_ptr<RequestMemory>> free;
    return free;
  }

  std::unique_ptr<RequestMemory> memory_;
};

/// The maker's hold on a batch that was waited for.
struct BatchRelease {
  void operator()(DeliveryBatch* batch) const noexcept { batch->release(); }
};

/// What a thread needs to judge an event, and to settle one; nothing in it outlives that, which does not suspend.
struct Workspace {
  FieldEnricher additions;
  FieldIndex fields;  // of the event as completed so far
  EventPatch splice;
  Validation validation;
  JsonNodes nodes, next_nodes;   // of the event as completed so far, and while it is completed
  std::vector<TextRange> added;  // to it, if there is a live feed
  std::string text;
  std::string buffer;
  std::vector<Outcome> outcomes;
};

Workspace& workspace() {
  thread_local Workspace space;
  return space;
}

/// The value at the first of `fields` that is present.
struct PresentField {
  const FieldPath* path;
  JsonValue value;
};
std::optional<PresentField> first_present(const std::vector<FieldPath>& fields, FieldIndex& event) {
  for (const FieldPath& field : fields)
    if (const auto value = event.find(field)) return PresentField{&field, *value};
  return std::nullopt;
}

std::string missing_message(const std::vector<FieldPath>& fields) {
  std::string names;
  for (const FieldPath& field : fields) {
    if (!names.empty()) names += ',';
    names += field.dotted();
  }
  return "Field(s) " + names + " were missing from event and could not be extracted.";
}

std::string not_a_string_message(const PresentField& field) {
  const JsonType type = field.value.type();
  std::string message = "Field " + field.path->dotted() + " must be a string but is ";
  if (type != JsonType::null) message += type == JsonType::array || type == JsonType::object ? "an " : "a ";
  message += json_type_name(type);
  return message + '.';
}

/// JavaScript's property form of a key: `.key`, or `['the key']` (AJV's getProperty).
void append_property(std::string& path, std::string_view key) {
  const auto starts = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '$' || c == '_'; };
  const bool identifier = !key.empty() && starts(key[0]) && std::all_of(key.begin(), key.end(), [&](char c) {
    return starts(c) || (c >= '0' && c <= '9');
  });
  if (identifier) {
    path += '.';
    path += key;
    return;
  }
  path += "['";
  for (const char c : key) {
    switch (c) {
      case '\'':
      case '\\':
        path += '\\';
        path += c;
        break;
      case '\n':
        path += "\\n";
        break;
      case '\r':
        path += "\\r";
        break;
      case '\f':
        path += "\\f";
        break;
      case '\t':
        path += "\\t";
        break;
      default:
        path += c;
    }
  }
  path += "']";
}

/// The dataPath of the value at `node`, or of the object that has it as a key.
std::string data_path(JsonValue event, std::uint32_t node) {
  std::string path;
  std::string buffer;
  JsonValue at = event;
  while (at.index() != node && (at.is_object() || at.is_array())) {
    std::size_t place = 0;
    auto child = at.begin();
    if (at.is_object()) {
      JsonValue key = *child;
      while (node >= key.node().next) {
        ++child;
        if (node < (*child).node().next) break;
        ++child;
        key = *child;
      }
      if ((*child).index() == key.index()) return path;
      append_property(path, key.string(buffer));
    } else {
      for (; node >= (*child).node().next; ++child) ++place;
      path += '[' + std::to_string(place) + ']';
    }
    at = *child;
  }
  return path;
}

std::string_view flaw_message(JsonInteropIssue::Kind kind) {
  switch (kind) {
    case JsonInteropIssue::Kind::lone_surrogate:
      return "should NOT have a lone surrogate";
    case JsonInteropIssue::Kind::not_a_double:
      return "should be a number within a double";
    case JsonInteropIssue::Kind::invalid_utf8:
      return "should be valid UTF-8";
  }
  return {};
}

/// The offset counts from the event's first byte: that of the value, or of the byte that is no UTF-8.
ValidationError flaw_error(JsonValue event, const JsonInteropIssue& flaw) {
  const bool of_byte = flaw.kind == JsonInteropIssue::Kind::invalid_utf8;
  const std::uint32_t offset = (of_byte ? flaw.offset : event.nodes()[flaw.node].begin) - event.node().begin;
  return {"json", to_valid_utf8(data_path(event, flaw.node)), "#", "{\"offset\":" + std::to_string(offset) + "}",
          std::string(flaw_message(flaw.kind))};
}

std::vector<ValidationError> flaw_errors(JsonValue event, std::span<const JsonInteropIssue> flaws) {
  std::vector<ValidationError> errors;
  for (const JsonInteropIssue& flaw : flaws.first(std::min(flaws.size(), kMaxErrors)))
    errors.push_back(flaw_error(event, flaw));
  if (flaws.size() > kMaxErrors)
    errors.push_back({"maxErrors", "", "#", "{\"limit\":" + std::to_string(kMaxErrors) + "}", "has more errors"});
  return errors;
}

/// `number`, which is an integer written with a fraction or an exponent, as an integer literal. Nothing if it does not
/// fit int64.
std::optional<std::int64_t> integer_literal(std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const std::size_t exponent_at = number.find_first_of("eE");
  std::int64_t exponent = 0;
  if (exponent_at != std::string_view::npos) {
    std::string_view text = number.substr(exponent_at + 1);
    const bool down = text.starts_with('-');
    if (down || text.starts_with('+')) text.remove_prefix(1);
    constexpr std::int64_t kHuge = std::int64_t{1} << 40;  // more than any text has digits
    if (std::from_chars(text.data(), text.data() + text.size(), exponent).ec != std::errc() || exponent > kHuge)
      exponent = kHuge;
    if (down) exponent = -exponent;
  }
  std::string digits;
  const std::string_view mantissa = number.substr(0, exponent_at);
  for (const char c : mantissa)
    if (c != '.') digits += c;
  const std::size_t point = mantissa.find('.');
  if (point != std::string_view::npos) exponent -= static_cast<std::int64_t>(mantissa.size() - point - 1);
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return 0;
  while (digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  if (exponent < 0 || exponent + static_cast<std::int64_t>(digits.size()) > 19) return std::nullopt;
  digits.append(static_cast<std::size_t>(exponent), '0');
  if (negative) digits.insert(0, 1, '-');
  std::int64_t value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

/// What events get that name no schema_uri or stream themselves: the request's query parameters; in the gate's own
/// events what is configured.
struct Given {
  std::string_view schema_uri;  // empty: nothing
  std::string_view stream;

  Given(const GateOptions& options, const RequestContext& context, Origin origin) {
    if (origin != Origin::client) {
      const bool error = origin == Origin::error_events;
      schema_uri = error ? options.error_schema_uri : options.ledger_schema_uri;
      stream = error ? options.error_stream : options.ledger_stream;
      return;
    }
    if (!options.schema_uri_query_param.empty())
      schema_uri = context.query_parameter(options.schema_uri_query_param).value_or("");
    if (!options.stream_query_param.empty()) stream = context.query_parameter(options.stream_query_param).value_or("");
  }
};

/// A string's content, for as long as the request.
std::string_view kept_string(JsonValue value, TextArena& texts, std::string& buffer) {
  return value.escaped() ? texts.keep(value.string(buffer)) : value.raw_string();
}

/// The label of a schema in metrics. There is no end to the absolute URIs that clients can name.
std::string_view label_of(const CompiledSchema& schema) {
  return schema.uri().starts_with('/') ? std::string_view(schema.uri()) : kUnknown;
}

/// Why an event was refused that no sink took.
FailureCause failure_cause(const DeliveryFailure& failure) {
  return failure.scope == FailureScope::record ? FailureCause::record : FailureCause::not_produced;
}

std::string_view delivery_cause(const DeliveryFailure& failure) {
  switch (failure.delivery) {
    case Delivery::not_produced:
      return failure_cause_name(failure_cause(failure));
    case Delivery::unknown:
      return "delivery_unknown";
  }
  return {};
}

std::int64_t milliseconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

/// The parameters of a query as LiveEvent has them.
void append_live_query(std::string& out, const RequestContext& context) {
  for (const auto& [name, value] : context.query) {
    if (name == "hasty") continue;
    out += out.empty() ? "[[" : ",[";
    append_json_string(out, name);
    out += ',';
    append_json_string(out, value);
    out += ']';
  }
  if (!out.empty()) out += ']';
}

/// Shows `feed` what became of a request's events.
void show(LiveFeed& feed, const RequestContext& context, Assurance assurance, RequestMemory& memory,
          const ProcessResult& result) {
  LiveNotes& live = memory.live;
  if (!context.query.empty()) append_live_query(live.query, context);
  auto invalid = result.invalid.begin();
  auto error = result.error.begin();
  std::size_t record = 0;
  std::size_t added = 0;
  for (std::size_t i = 0; i < live.events.size(); ++i) {
    LiveEvent& event = live.events[i];
    event.received_at = milliseconds_of(context.received_at);
    event.hasty = assurance == Assurance::hasty;
    event.query = live.query;
    event.added = std::span<const TextRange>(live.added).subspan(added, live.added_ends[i] - added);
    added = live.added_ends[i];
    const bool recorded = record < memory.records.size() && memory.places[record] == i;
    if (invalid != result.invalid.end() && invalid->index == i) {
      event.outcome = LiveOutcome::invalid;
      event.status = &*invalid++;
    } else if (error != result.error.end() && error->index == i) {
      event.outcome = LiveOutcome::error;
      event.status = &*error++;
    }
    if (event.text.empty())
      event.text = event.status ? std::string_view(event.status->event) : memory.records[record].value;
    if (recorded) ++record;
  }
  feed.add(live.events);
}

}  // namespace

struct EventGate::Impl {
  Impl(GateOptions gate_options, SchemaRepository& repository, StreamConfigSource* source, FanOut& to,
       Telemetry& intake, LiveFeed* feed, std::shared_ptr<InflightBytes> bytes)
      : options(std::move(gate_options)),
        schemas(repository),
        streams(source),
        producer(to),
        events(intake),
        ledger(intake.ledger()),
        live(feed),
        inflight(bytes ? std::move(bytes) : std::make_shared<InflightBytes>(std::numeric_limits<std::size_t>::max())) {
    stream_place = options.stream_field.empty() ? FieldPath("meta.stream") : options.stream_field.front();
  }

  class Judge;
  class HastyCompletion;

  DeliveryBatch& hand_over(RequestMemory& memory, std::chrono::system_clock::time_point received_at,
                           Assurance assurance, Origin origin, const IoExecutor& executor);
  void settle(const Runs& runs, std::size_t records, DeliveryBatch& deliveries, Assurance assurance, Origin origin,
              const RequestMemory* memory, std::optional<MemoryLease>& error_events, ProcessResult& result);
  void add_record_error_event(std::optional<MemoryLease>& error_events, const Run& run, std::string_view value,
                              const DeliveryFailure& failure);
  void count_failure(const Run& run, const DeliveryFailure& failure, Assurance assurance, Origin origin);
  void settle_failed(std::size_t records, const char* reason) noexcept;

  bool judge_known(const EventBatch& batch, const RequestContext& context, Origin origin, RequestMemory& memory,
                   ProcessResult& result);
  void judge_all(const EventBatch& batch, const RequestContext& context, Origin origin, RequestMemory& memory,
                 ProcessResult& result);
  /// `once`: the batch, if its values are no more needed once they are judged; or null.
  Task<ProcessResult> process(const EventBatch& batch, const RequestContext& context, Assurance assurance,
                              Origin origin, EventBatch* once);
  Task<void> process_hasty(std::unique_ptr<HastyRequest> request);
  Task<void> load(RequestSchemas& wanted);
  void make_error_events(RequestMemory& memory, std::chrono::system_clock::time_point received_at,
                         const IoExecutor& executor);
  bool add_error_event(RequestMemory& memory, const FailedEvent& refused,
                       std::chrono::system_clock::time_point received_at);
  void make_events(std::string texts, InflightReservation share, Origin origin,
                   std::chrono::system_clock::time_point received_at, IoExecutor executor);

  /// The bytes in flight beyond which the gate's own events get no more room: half of the bound is left to requests.
  std::size_t own_events_max() const { return inflight->max() / 2; }

  const GateOptions options;
  FieldPath stream_place;  // where a stream is added
  SchemaRepository& schemas;
  StreamConfigSource* const streams;
  FanOut& producer;
  Telemetry& events;
  Ledger& ledger;
  LiveFeed* const live;  // null: nobody may look on
  const std::shared_ptr<InflightBytes> inflight;
  std::atomic<std::size_t> own_events_in_flight{0};
  // Bytes of the last ledger events; at first, of one.
  std::atomic<std::size_t> last_ledger_share{inflight_weight(0, 1)};
};

/// Takes a request's events through the steps of spec "events", up to their records. Does not suspend.
class EventGate::Impl::Judge {
 public:
  Judge(Impl& gate, const EventBatch& batch, const RequestContext& context, const Given& given, Origin origin,
        RequestMemory& memory, ProcessResult& result)
      : gate_(gate),
        options_(gate.options),
        batch_(batch),
        context_(context),
        given_(given),
        origin_(origin),
        memory_(memory),
        result_(result),
        space_(workspace()),
        received_at_(milliseconds_of(context.received_at)),
        live_(gate.live && origin == Origin::client),
        error_texts_(batch.body().size(), result) {
    if (gate.streams) streams_ = gate.streams->current();
    space_.additions.begin(options_, context, memory.texts);
    space_.fields.begin_request();
    limits_ = options_.json;
    limits_.depth += kAddedDepth;
  }

  /// Looks up the schemas that are known now; the others' entries are left empty.
  bool find_schemas();

  void judge_all() {
    for (index_ = 0; index_ < batch_.size(); ++index_) {
      judge();
      if (live_) note();
    }
  }

 private:
  /// What is known of a stream; events of a request mostly share it.
  struct Stream {
    std::string_view name;
    const StreamConfig* config = nullptr;
    LedgerAccount* account = nullptr;  // metrics have its name
    std::string_view topic;            // made with the first record; empty if it is no legal name
    bool topic_made = false;
  };

  void judge();
  void note();
  bool find_schema();
  bool complete();
  bool admit();
  void make_record();

  void refuse(FailureCause cause, std::string message);
  void refuse_invalid(std::vector<ValidationError> errors);
  bool take_schema(const RequestSchemas::Entry* entry) {
    if (entry && entry->result && entry->result->has_value()) schema_ = (**entry->result).get();
    return schema_ != nullptr;
  }
  void count_refused(FailureCause cause);
  void set_stream(std::string_view name, bool from_event);
  bool apply_splice();
  bool mend_error_event();
  std::string event_description() const;
  LedgerAccount& account() const { return has_stream_ ? *stream_.account : gate_.ledger.unknown(); }
  std::string_view schema_label() const { return schema_ ? label_of(*schema_) : kUnknown; }
  std::string reply_text() const {
    const std::string_view text = event_.source();
    return flawed_ ? json_string(text) : std::string(text);
  }
  std::string_view kept(JsonValue value) {
    // A flawed event's names may be no UTF-8, which metrics and logs cannot hold.
    if (flawed_) return memory_.texts.keep(to_valid_utf8(value.string(space_.buffer)));
    return kept_string(value, memory_.texts, space_.buffer);
  }

  Impl& gate_;
  const GateOptions& options_;
  const EventBatch& batch_;
  const RequestContext& context_;
  const Given& given_;
  const Origin origin_;
  RequestMemory& memory_;
  ProcessResult& result_;
  Workspace& space_;
  const std::int64_t received_at_;
  const bool live_;
  ErrorTexts error_texts_;
  std::shared_ptr<const StreamConfigs> streams_;
  JsonLimits limits_;
  std::string_view given_schema_uri_json_;
  std::string_view given_stream_json_;
  Stream stream_;  // of the last event that had one

  // Of the event at hand.
  std::size_t index_ = 0;
  JsonValue event_;  // as completed so far
  bool flawed_ = false;
  std::string_view schema_uri_;
  const CompiledSchema* schema_ = nullptr;
  bool has_stream_ = false;
};

bool EventGate::Impl::Judge::find_schemas() {
  bool all = true;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const JsonValue event = batch_[i];
    if (!event.is_object() || !batch_.flaws(i).empty()) continue;
    std::optional<JsonValue> field;
    for (const FieldPath& path : options_.schema_uri_field)
      if ((field = path.find(event))) break;
    std::string_view schema_uri = given_.schema_uri;
    if (field) {
      if (!field->is_string()) continue;
      schema_uri = kept(*field);
    }
    if (memory_.schemas.find(schema_uri)) continue;
    const SchemaUriForm form = schema_uri_form(schema_uri);
    if (form == SchemaUriForm::illegal || (form == SchemaUriForm::absolute && !options_.allow_absolute_schema_uris))
      continue;
    auto known = gate_.schemas.find(schema_uri);
    if (!known) all = false;
    memory_.schemas.add(schema_uri, std::move(known));
  }
  return all;
}

void EventGate::Impl::Judge::judge() {
  event_ = batch_[index_];
  space_.fields.begin(event_);
  const auto flaws = batch_.flaws(index_);
  flawed_ = !flaws.empty();
  schema_uri_ = {};
  schema_ = nullptr;
  has_stream_ = false;
  space_.splice.clear();
  if (live_) space_.added.clear();

  if (!event_.is_object()) return refuse(FailureCause::field, missing_message(options_.schema_uri_field));
  if (flawed_) {
    // What is known is still said of it, but nothing is loaded for it.
    if (const auto field = first_present(options_.schema_uri_field, space_.fields); field && field->value.is_string()) {
      schema_uri_ = kept(field->value);
      if (!memory_.schemas.find(schema_uri_) && schema_uri_form(schema_uri_) == SchemaUriForm::path)
        if (auto known = gate_.schemas.find(schema_uri_)) memory_.schemas.add(schema_uri_, std::move(known));
      take_schema(memory_.schemas.find(schema_uri_));
    }
    if (const auto field = first_present(options_.stream_field, space_.fields); field && field->value.is_string())
      set_stream(kept(field->value), true);
    return refuse_invalid(flaw_errors(event_, flaws));
  }
  if (!find_schema() || !complete() || !admit()) return;
  Validation& validation = space_.validation;
  validation.clear();
  if (!schema_->validate(event_, validation) && (origin_ == Origin::client || !mend_error_event()))
    return refuse_invalid(std::move(validation.errors));
  make_record();
}

/// For the live feed: what is known of the event but for its end.
void EventGate::Impl::Judge::note() {
  LiveNotes& notes = memory_.live;
  LiveEvent& event = notes.events.emplace_back();
  if (has_stream_) {
    event.stream = stream_.name;
  } else if (const auto field = first_present(options_.stream_field, space_.fields);
             field && field->value.is_string()) {
    event.stream = kept(field->value);  // it was refused before its stream was looked at
  }
  if (flawed_) event.text = event_.source();  // a status has it as a string
  event.schema_uri = schema_ ? std::string_view(schema_->uri()) : schema_uri_;
  notes.added.insert(notes.added.end(), space_.added.begin(), space_.added.end());
  notes.added_ends.push_back(notes.added.size());
}

/// Steps 2 and 3.
bool EventGate::Impl::Judge::find_schema() {
  const auto field = first_present(options_.schema_uri_field, space_.fields);
  if (field) {
    if (!field->value.is_string()) {
      refuse(FailureCause::field, not_a_string_message(*field));
      return false;
    }
    schema_uri_ = kept(field->value);
  } else {
    if (!given_.schema_uri.empty() && given_schema_uri_json_.empty())
      given_schema_uri_json_ = memory_.texts.keep(json_string(given_.schema_uri));
    if (given_schema_uri_json_.empty() ||
        !space_.splice.add(event_, options_.schema_uri_field.front(), given_schema_uri_json_)) {
      refuse(FailureCause::field, missing_message(options_.schema_uri_field));
      return false;
    }
    schema_uri_ = given_.schema_uri;
  }

  const RequestSchemas::Entry* entry = memory_.schemas.find(schema_uri_);
  if (take_schema(entry)) return true;
  std::string message;
  if (!entry && schema_uri_form(schema_uri_) == SchemaUriForm::absolute) {
    message = "Absolute schema URIs are not allowed but event schema_uri is ";
    message += schema_uri_;
  } else {
    message = "Failed loading schema at ";
    message += schema_uri_;
    if (entry && entry->result && !entry->result->error().reason.empty()) {
      message += ": ";
      message += entry->result->error().reason;
    }
  }
  refuse(FailureCause::schema, std::move(message));
  return false;
}

/// Steps 4 and 5.
bool EventGate::Impl::Judge::complete() {
  const auto field = first_present(options_.stream_field, space_.fields);
  if (field) {
    if (field->value.is_string()) set_stream(kept(field->value), true);
  } else if (!given_.stream.empty()) {
    if (given_stream_json_.empty()) given_stream_json_ = memory_.texts.keep(json_string(given_.stream));
    if (space_.splice.add(event_, gate_.stream_place, given_stream_json_)) set_stream(given_.stream, true);
  }
  if (options_.wikimedia && origin_ == Origin::client)
    space_.additions.add(*schema_, has_stream_ ? stream_.config : nullptr, space_.fields, space_.splice);
  if (!space_.splice.empty() && !apply_splice()) return false;
  if (has_stream_) return true;

  // A header may have been configured to fill it.
  const auto now = first_present(options_.stream_field, space_.fields);
  if (!now && !options_.wikimedia && (options_.stream_field.empty() || options_.stream_from_schema_uri)) {
    set_stream(memory_.texts.keep(stream_of_schema_uri(schema_uri_)), false);
    return true;
  }
  if (!now || !now->value.is_string()) {
    refuse(FailureCause::field, now ? not_a_string_message(*now) : missing_message(options_.stream_field));
    return false;
  }
  set_stream(kept(now->value), true);
  return true;
}

/// Steps 6 and 7.
bool EventGate::Impl::Judge::admit() {
  if (streams_) {
    const StreamConfig* const config = stream_.config;
    const auto stream = [this] { return std::string(stream_.name); };
    FailureCause cause = FailureCause::stream;
    std::string reason;
    if (!config) {
      reason = stream() + " is not configured.";
      if (const std::string& bad = streams_->bad_regexes(); !bad.empty()) reason += ' ' + bad;
    } else if (config->empty) {
      reason = stream() + " is configured but does not have any settings.";
    } else if (!config->schema_title) {
      reason = config->unusable_reason.empty() ? stream() + " does not have a schema_title setting."
                                               : "its stream config cannot be used: " + config->unusable_reason + '.';
    } else if (!schema_->title()) {
      refuse(FailureCause::title,
             "Schema at " + std::string(schema_uri_) + " must define a 'title' field. From " + event_description());
      return false;
    } else if (*schema_->title() != *config->schema_title) {
      cause = FailureCause::title;
      reason = "schema title must be " + *config->schema_title + '.';
    }
    if (!reason.empty()) {
      refuse(cause, event_description() + " is not allowed in stream; " + reason);
      return false;
    }
  }
  for (int round = 0; round < kMaxDefaultRounds; ++round) {
    space_.splice.clear();
    if (!schema_->complete(event_, space_.splice)) break;
    if (!apply_splice()) return false;
  }
  return true;
}

/// Step 9.
void EventGate::Impl::Judge::make_record() {
  if (!stream_.topic_made) {
    const std::string topic = topic_name(options_.topic_prefix, stream_.name, stream_.config);
    stream_.topic = is_topic_name(topic) ? memory_.texts.keep(topic) : std::string_view();
    stream_.topic_made = true;
    if (!stream_.topic.empty()) gate_.ledger.know_topic(*stream_.account, topic);
  }
  if (stream_.topic.empty())
    return refuse(FailureCause::topic,
                  "Stream name " + json_string(stream_.name) +
                      " is no Kafka topic name: expected, with topic_prefix, 1 to 249 of [a-zA-Z0-9._-].");
  Record record;
  record.topic = stream_.topic;
  if (stream_.config && !stream_.config->message_key_fields.empty()) {
    auto key = message_key(*stream_.config, event_);
    if (!key) return refuse(FailureCause::key, key.error());
    if (*key) record.message_key = memory_.texts.keep(**key);
  }
  record.timestamp = received_at_;
  if (!options_.dt_field.empty())
    if (const auto dt = space_.fields.find(options_.dt_field); dt && dt->is_string())
      if (const auto timestamp = parse_timestamp(dt->string(space_.buffer));
          timestamp && *timestamp > 0 &&
          (options_.max_future_dt.count() == 0 || *timestamp <= received_at_ + options_.max_future_dt.count()))
        record.timestamp = *timestamp;  // Kafka knows no time before 1970

  std::vector<std::uint32_t>& integers = space_.validation.integers;
  if (!integers.empty()) {
    // Several schemas may have accepted the same number.
    std::sort(integers.begin(), integers.end());
    integers.erase(std::unique(integers.begin(), integers.end()), integers.end());
    space_.splice.clear();
    for (const std::uint32_t node : integers) {
      const JsonValue number(event_.base(), event_.nodes(), node);
      if (const auto literal = integer_literal(number.source()))
        space_.splice.replace(number, std::to_string(*literal));
    }
    if (!space_.splice.empty() && !apply_splice()) return;
  }
  record.value = event_.source();
  memory_.records.push_back(record);
  memory_.places.push_back(index_);
  Runs& runs = memory_.runs;
  if (runs.empty() || runs.back().account != stream_.account || runs.back().schema.get() != schema_)
    runs.push_back({stream_.account, **memory_.schemas.find(schema_uri_)->result, 0});
  ++runs.back().count;
}

/// Makes the event anew with what is in the splice. It is refused if that makes no JSON.
bool EventGate::Impl::Judge::apply_splice() {
  const bool has_nodes =
      space_.splice.apply_with_nodes(event_, space_.text, space_.next_nodes, live_ ? &space_.added : nullptr);
  space_.splice.clear();
  const std::string_view text = memory_.texts.keep(space_.text);
  if (has_nodes) {
    space_.next_nodes.text = text;
  } else if (const auto error = parse_json(text, space_.next_nodes, limits_)) {
    space_.added.clear();
    refuse(FailureCause::schema, "Event as completed by schema at " + std::string(schema_uri_) +
                                     " is not JSON: expected " + error->expected + " at byte " +
                                     std::to_string(error->offset));
    return false;
  }
  std::swap(space_.nodes, space_.next_nodes);
  event_ = space_.nodes.root();
  space_.fields.begin(event_);
  return true;
}

/// Fields that an error event took over from a client's event, and that its schema does not admit, become `unknown`.
bool EventGate::Impl::Judge::mend_error_event() {
  space_.splice.clear();
  for (const std::string_view key : kTakenFields) {
    const std::string path = ".meta." + std::string(key);
    const bool refused = std::any_of(space_.validation.errors.begin(), space_.validation.errors.end(),
                                     [&](const ValidationError& error) { return error.data_path.starts_with(path); });
    if (!refused) continue;
    if (const auto value = FieldPath(path.substr(1)).find(event_)) space_.splice.replace(*value, "\"unknown\"");
  }
  if (space_.splice.empty()) return false;
  space_.validation.clear();
  if (!apply_splice()) return false;
  return schema_->validate(event_, space_.validation);
}

void EventGate::Impl::Judge::set_stream(std::string_view name, bool from_event) {
  has_stream_ = true;
  if (stream_.name.data() && stream_.name == name) return;
  stream_ = {};
  stream_.name = name;
  stream_.account = &gate_.ledger.unknown();
  if (streams_) {
    stream_.config = streams_->find(name);
    if (!stream_.config) return;
    stream_.account = &gate_.ledger.account(name);
  } else if (!from_event || origin_ != Origin::client) {
    stream_.account = &gate_.ledger.account(name);
  }
}

/// `event ID of schema at URI destined to stream X`.
std::string EventGate::Impl::Judge::event_description() const {
  std::string description = "event";
  if (const auto id = options_.id_field.empty() ? std::nullopt : options_.id_field.find(event_)) {
    const std::string text = id->is_string() ? id->string() : std::string(id->source());
    const bool nothing = id->is_string() ? text.empty() : text == "null" || text == "false" || text == "0";
    if (!nothing) description += ' ' + text;
  }
  description += " of schema at ";
  description += schema_uri_;
  description += " destined to stream ";
  description += stream_.name;
  return description;
}

void EventGate::Impl::Judge::count_refused(FailureCause cause) {
  account().received(1, received_at_);
  account().refused(cause);
}

void EventGate::Impl::Judge::refuse(FailureCause cause, std::string message) {
  count_refused(cause);
  if (origin_ == Origin::client)
    gate_.events.event_error(account().stream(), schema_label(), failure_cause_name(cause), message);
  error_texts_.bound(message);
  EventStatus& status = result_.error.emplace_back();
  status.kind = EventStatus::Kind::error;
  status.index = index_;
  if (space_.splice.empty() || flawed_) {
    status.event = reply_text();
  } else {
    space_.splice.apply(event_, status.event, live_ ? &space_.added : nullptr);
    // A long text of the request may have been added to each of its events.
    const std::string_view without = event_.source();
    if (status.event.size() > without.size() && !error_texts_.admit(status.event.size() - without.size())) {
      status.event = std::string(without);
      space_.added.clear();
    }
  }
  status.message = std::move(message);
}

void EventGate::Impl::Judge::refuse_invalid(std::vector<ValidationError> errors) {
  count_refused(FailureCause::invalid);
  error_texts_.bound(errors);
  EventStatus& status = result_.invalid.emplace_back();
  status.kind = EventStatus::Kind::invalid;
  status.index = index_;
  status.event = reply_text();
  status.errors = std::move(errors);
  if (origin_ != Origin::client) return;
  gate_.events.event_invalid(account().stream(), schema_label(), kValidation);
  if (options_.error_stream.empty()) return;
  const std::string message = errors_text(status.errors);
  const FailedEvent refused{batch_[index_].source(),
                            message,
                            kValidation,
                            event_,
                            schema_uri_,
                            has_stream_ ? stream_.name : std::string_view()};
  gate_.add_error_event(memory_, refused, context_.received_at);
}

/// Adds the error event of `refused` to those of the request, which hold a share of the bytes in flight until they are
/// delivered. Without room for it the error event is dropped, and false returned.
bool EventGate::Impl::add_error_event(RequestMemory& memory, const FailedEvent& refused,
                                      std::chrono::system_clock::time_point received_at) {
  std::optional<InflightReservation>& share = memory.error_events_share;
  if (!share) share.emplace(*inflight, own_events_max());
  // Room first, then the text: how many bytes its escapes take is known only when it is made.
  const std::size_t least = std::min(refused.raw_event.size(), options.max_raw_event) + refused.message.size();
  if (!share->resize(inflight_weight(memory.error_events.size() + least, memory.error_events_count + 1))) {
    events.error_event_failed("no room for it: expected that bytes in flight stay within half of max_inflight_bytes, " +
                              std::to_string(inflight->max()));
    return false;
  }
  memory.error_events += memory.error_events.empty() ? '[' : ',';
  append_error_event(memory.error_events, refused, options.user_agent, options.max_raw_event, received_at);
  share->resize_anyway(inflight_weight(memory.error_events.size(), ++memory.error_events_count));
  return true;
}

/// Judges a request's events if all their schemas are known. If not, they are to be loaded.
bool EventGate::Impl::judge_known(const EventBatch& batch, const RequestContext& context, Origin origin,
                                  RequestMemory& memory, ProcessResult& result) {
  result.events = batch.size();
  ledger.arrived(batch.size());
  const Given given(options, context, origin);
  Judge judge(*this, batch, context, given, origin, memory, result);
  if (!judge.find_schemas()) return false;
  judge.judge_all();
  return true;
}

/// The same once they are loaded.
void EventGate::Impl::judge_all(const EventBatch& batch, const RequestContext& context, Origin origin,
                                RequestMemory& memory, ProcessResult& result) {
  const Given given(options, context, origin);
  Judge(*this, batch, context, given, origin, memory, result).judge_all();
}

void EventGate::Impl::make_error_events(RequestMemory& memory, std::chrono::system_clock::time_point received_at,
                                        const IoExecutor& executor) {
  if (memory.error_events.empty()) {
    memory.error_events_share.reset();
    return;
  }
  memory.error_events += ']';
  InflightReservation share = *std::move(memory.error_events_share);
  memory.error_events_share.reset();
  make_events(std::move(memory.error_events), std::move(share), Origin::error_events, received_at, executor);
}

DeliveryBatch& EventGate::Impl::hand_over(RequestMemory& memory, std::chrono::system_clock::time_point received_at,
                                          Assurance assurance, Origin origin, const IoExecutor& executor) {
  const std::int64_t at = milliseconds_of(received_at);
  for (const Run& run : memory.runs) run.account->received(run.count, at);
  if (assurance == Assurance::hasty && origin == Origin::client)
    for (Record& record : memory.records) record.already_answered = true;
  return producer.hand_over(memory.records, assurance, executor);
}

/// Counts what became of records. What was not produced has a status in `result` if `memory` still has the records.
/// Adds the error events of client records that Kafka will never take to `error_events`, which is empty until then.
void EventGate::Impl::settle(const Runs& runs, std::size_t records, DeliveryBatch& deliveries, Assurance assurance,
                             Origin origin, const RequestMemory* memory, std::optional<MemoryLease>& error_events,
                             ProcessResult& result) {
  std::vector<Outcome>& outcomes = workspace().outcomes;
  producer.outcomes(deliveries, records, outcomes);
  const std::size_t refused = result.error.size();
  std::size_t record = 0;
  for (const Run& run : runs) {
    std::size_t produced = 0;
    std::size_t spooled = 0;
    for (const std::size_t end = record + run.count; record < end; ++record) {
      const std::optional<DeliveryFailure>& failure = outcomes[record].failure;
      if (!failure) {
        ++(outcomes[record].spooled ? spooled : produced);
        continue;
      }
      count_failure(run, *failure, assurance, origin);
      if (failure->scope == FailureScope::capacity && failure->delivery == Delivery::not_produced) ++result.no_room;
      if (failure->scope == FailureScope::record && failure->delivery == Delivery::not_produced &&
          origin == Origin::client && !options.error_stream.empty() && (memory || failure->value))
        add_record_error_event(error_events, run,
                               memory ? memory->records[record].value : std::string_view(*failure->value), *failure);
      if (!memory) continue;
      EventStatus& status = result.error.emplace_back();
      status.kind = EventStatus::Kind::error;
      status.index = memory->places[record];
      status.event = memory->records[record].value;
      status.message = failure->message;
      status.has_delivery = true;
      status.delivery = failure->delivery;
      status.retry = failure->worth_retry();
    }
    if (produced > 0) run.account->produced(produced);
    if (spooled > 0) run.account->spooled(spooled);
    result.spooled += spooled;
    if (produced + spooled > 0) events.event_produced(run.account->stream(), label_of(*run.schema), produced + spooled);
  }
  if (refused > 0 && result.error.size() > refused)
    std::sort(result.error.begin(), result.error.end(),
              [](const EventStatus& a, const EventStatus& b) { return a.index < b.index; });
}

/// Adds the error event of a record that Kafka will never take. Its `raw_event` is the record's value: the event as
/// completed.
void EventGate::Impl::add_record_error_event(std::optional<MemoryLease>& error_events, const Run& run,
                                             std::string_view value, const DeliveryFailure& failure) {
  JsonLimits limits = options.json;
  limits.depth += kAddedDepth;
  JsonNodes nodes;
  std::string padded(value);
  padded.append(kJsonPadding, ' ');
  const std::string_view text = std::string_view(padded).substr(0, value.size());
  std::optional<JsonValue> event;
  if (!parse_json(text, nodes, limits)) event = nodes.root();
  const auto named = [&event](const std::vector<FieldPath>& fields, std::string_view otherwise) {
    for (const FieldPath& field : fields)
      if (const auto found = event ? field.find(*event) : std::nullopt; found && found->is_string())
        return found->string();
    return std::string(otherwise);
  };
  const std::string schema_uri = named(options.schema_uri_field, run.schema->uri());
  const std::string stream = named(options.stream_field, run.account->stream());
  const FailedEvent refused{text, failure.message, kRecord, event, schema_uri, stream};
  if (!error_events) error_events.emplace();
  add_error_event(**error_events, refused, std::chrono::system_clock::now());
}

void EventGate::Impl::count_failure(const Run& run, const DeliveryFailure& failure, Assurance assurance,
                                    Origin origin) {
  const bool hasty = assurance == Assurance::hasty;
  if (failure.delivery == Delivery::unknown) {
    run.account->delivery_unknown();
  } else if (hasty) {
    run.account->lost();
  } else {
    run.account->refused(failure_cause(failure));
  }
  if (origin != Origin::client) return;
  if (hasty) {
    events.hasty_event_lost(run.account->stream(), label_of(*run.schema), failure.message);
  } else {
    events.event_error(run.account->stream(), label_of(*run.schema), delivery_cause(failure), failure.message);
  }
}

/// Says that what became of hasty records could not be counted.
void EventGate::Impl::settle_failed(std::size_t records, const char* reason) noexcept {
  try {
    log(LogLevel::error, "What became of hasty events could not be counted",
        {{"events", static_cast<long long>(records)}, {"error", std::string_view(reason)}});
  } catch (const std::exception&) {
    // There is no memory for a log line either.
  }
}

Task<ProcessResult> EventGate::Impl::process(const EventBatch& batch, const RequestContext& context,
                                             Assurance assurance, Origin origin, EventBatch* once) {
  MemoryLease memory;
  ProcessResult result;
  const IoExecutor executor = co_await ThisExecutor();
  if (!judge_known(batch, context, origin, *memory, result)) {
    co_await load(memory->schemas);
    judge_all(batch, context, origin, *memory, result);
  }
  make_error_events(*memory, context.received_at, executor);
  if (!memory->records.empty()) {
    if (once) once->forget_values();
    DeliveryBatch& deliveries = hand_over(*memory, context.received_at, assurance, origin, executor);
    co_await producer.wait(deliveries, assurance);
    const std::unique_ptr<DeliveryBatch, BatchRelease> waited_for(&deliveries);
    std::optional<MemoryLease> error_events;
    settle(memory->runs, memory->records.size(), deliveries, assurance, origin, &*memory, error_events, result);
    if (error_events) make_error_events(**error_events, std::chrono::system_clock::now(), executor);
  }
  if (!memory->live.events.empty()) show(*live, context, assurance, *memory, result);
  co_return result;
}

/// Hasty records that are handed over: what is needed to count what becomes of them, and no more if it can be. There
/// may be as many of them as a producer has room for.
class EventGate::Impl::HastyCompletion final : public CompletionHandler {
 public:
  /// The request and what is known of it, where a sink or the live feed still reads its texts.
  struct Kept {
    std::unique_ptr<HastyRequest> request;
    MemoryLease memory;
    ProcessResult result;
  };

  HastyCompletion(Impl& gate, RequestMemory& memory, std::shared_ptr<const void> held)
      : gate_(gate), records_(memory.records.size()), runs_(std::move(memory.runs)), held_(std::move(held)) {}

  void keep(Kept kept) { kept_ = std::make_unique<Kept>(std::move(kept)); }

  /// Counting allocates. What it throws (there is no memory) must not end the process: the producer's promise is kept,
  /// and what is not counted stays `in flight` in the ledger.
  void settled(DeliveryBatch& batch) noexcept override {
    try {
      ProcessResult counts;
      ProcessResult& result = kept_ ? kept_->result : counts;
      RequestMemory* const memory = kept_ ? &*kept_->memory : nullptr;
      std::optional<MemoryLease> error_events;
      gate_.settle(runs_, records_, batch, Assurance::hasty, Origin::client, memory, error_events, result);
      if (error_events)
        gate_.make_error_events(**error_events, std::chrono::system_clock::now(), batch.slot(0).executor());
      if (memory && !memory->live.events.empty())
        show(*gate_.live, kept_->request->context, Assurance::hasty, *memory, result);
    } catch (const std::exception& exception) {
      gate_.settle_failed(records_, exception.what());
    }
  }

 private:
  Impl& gate_;
  const std::size_t records_;
  const Runs runs_;
  const std::shared_ptr<const void> held_;
  std::unique_ptr<Kept> kept_;
};

Task<void> EventGate::Impl::process_hasty(std::unique_ptr<HastyRequest> request) {
  MemoryLease memory;
  ProcessResult result;
  const IoExecutor executor = co_await ThisExecutor();
  if (!judge_known(request->batch, request->context, Origin::client, *memory, result)) {
    co_await load(memory->schemas);
    judge_all(request->batch, request->context, Origin::client, *memory, result);
  }
  make_error_events(*memory, request->context.received_at, executor);
  if (memory->records.empty()) {
    if (!memory->live.events.empty()) show(*live, request->context, Assurance::hasty, *memory, result);
    co_return;
  }
  DeliveryBatch& deliveries =
      hand_over(*memory, request->context.received_at, Assurance::hasty, Origin::client, executor);
  auto records = std::make_unique<HastyCompletion>(*this, *memory, std::move(request->held));
  if (live || producer.borrows_record_text()) {
    request->batch.forget_values();
    records->keep({std::move(request), std::move(memory), std::move(result)});
  }
  deliveries.on_complete(std::move(records));
}

/// Loads the schemas of `wanted` that are not known.
Task<void> EventGate::Impl::load(RequestSchemas& wanted) {
  const IoExecutor executor = co_await ThisExecutor();
  std::vector<std::string> unknown;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < wanted.entries().size(); ++i) {
    if (wanted.entries()[i].result) continue;
    unknown.emplace_back(wanted.entries()[i].schema_uri);
    places.push_back(i);
  }
  co_await suspend_with([&](ResumeHandle suspended) {
    load_schemas(
        schemas, std::move(unknown), options.schema_load_timeout, executor,
        [&wanted, places = std::move(places)](std::size_t i, SchemaResult loaded) {
          wanted.entries()[places[i]].result.emplace(std::move(loaded));
        },
        std::move(suspended));
  });
}

/// Produces events of the gate's own, `texts` being a JSON array of them, by the hasty producer. Nobody waits for it.
/// `share` is given back when their delivery is known.
void EventGate::Impl::make_events(std::string texts, InflightReservation share, Origin origin,
                                  std::chrono::system_clock::time_point received_at, IoExecutor executor) {
  struct InFlight {
    explicit InFlight(std::atomic<std::size_t>& count) : count_(&count) { count.fetch_add(1); }
    InFlight(InFlight&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    InFlight& operator=(InFlight&&) = delete;
    ~InFlight() {
      if (count_) count_->fetch_sub(1);
    }
    std::atomic<std::size_t>* count_;
  };
  const auto produce = [](Impl& gate, std::string body, InflightReservation held, Origin from,
                          std::chrono::system_clock::time_point at, InFlight counted) -> Task<void> {
    const InFlight in_flight(std::move(counted));
    const InflightReservation bytes(std::move(held));
    const auto failed = [&gate, from](std::string_view message) {
      if (from == Origin::ledger) {
        gate.events.ledger_event_failed(message);
      } else {
        gate.events.error_event_failed(message);
      }
    };
    JsonLimits limits = gate.options.json;
    limits.depth += kAddedDepth;
    auto batch = EventBatch::parse(std::move(body), limits);
    if (!batch) {
      failed("expected " + batch.error().expected + " at byte " + std::to_string(batch.error().offset));
      co_return;
    }
    RequestContext context;
    context.received_at = at;
    const ProcessResult result = co_await gate.process(*batch, context, Assurance::hasty, from, &*batch);
    for (const EventStatus& status : result.invalid) failed(errors_text(status.errors));
    for (const EventStatus& status : result.error) failed(status.message);
  };
  spawn(executor,
        produce(*this, std::move(texts), std::move(share), origin, received_at, InFlight(own_events_in_flight)));
}

EventGate::EventGate(GateOptions options, SchemaRepository& schemas, StreamConfigSource* streams, FanOut& producer,
                     Telemetry& events, LiveFeed* live, std::shared_ptr<InflightBytes> inflight)
    : impl_(std::make_unique<Impl>(std::move(options), schemas, streams, producer, events, live, std::move(inflight))) {
  if (streams) declare_streams(*streams->current(), impl_->options.topic_prefix, impl_->ledger);
}

EventGate::~EventGate() = default;

Task<ProcessResult> EventGate::process(const EventBatch& batch, const RequestContext& context) {
  impl_->events.events_received(batch.size());
  return impl_->process(batch, context, Assurance::guaranteed, Origin::client, nullptr);
}

Task<ProcessResult> EventGate::process_and_consume(EventBatch& batch, const RequestContext& context) {
  impl_->events.events_received(batch.size());
  return impl_->process(batch, context, Assurance::guaranteed, Origin::client, &batch);
}

Task<void> EventGate::process_hasty(std::unique_ptr<HastyRequest> request) {
  impl_->events.events_received(request->batch.size());
  return impl_->process_hasty(std::move(request));
}

void EventGate::malformed(std::string_view body, const JsonError& error, const RequestContext& context,
                          IoExecutor executor) {
  LedgerAccount& account = impl_->ledger.unknown();
  impl_->ledger.arrived(1);
  account.received(1, milliseconds_of(context.received_at));
  account.refused(FailureCause::malformed_json);
  impl_->events.event_invalid(kUnknown, kUnknown, kMalformedJson);
  if (impl_->options.error_stream.empty() && !impl_->live) return;
  const std::string message = "Malformed JSON at byte " + std::to_string(error.offset) + ": expected " + error.expected;
  if (impl_->live) {
    EventStatus status;
    status.message = message;
    std::string query;
    append_live_query(query, context);
    LiveEvent event;
    event.received_at = milliseconds_of(context.received_at);
    event.outcome = LiveOutcome::invalid;
    event.query = query;
    event.text = body;
    event.status = &status;
    impl_->live->add({&event, 1});
    if (impl_->options.error_stream.empty()) return;
  }
  const FailedEvent refused{body, message, kMalformedJson, std::nullopt, {}, {}};
  MemoryLease memory;
  impl_->add_error_event(*memory, refused, context.received_at);
  impl_->make_error_events(*memory, context.received_at, executor);
}

void EventGate::produce_ledger(std::chrono::system_clock::time_point now, IoExecutor executor) {
  const GateOptions& options = impl_->options;
  if (options.ledger_stream.empty()) return;
  InflightReservation share(*impl_->inflight, impl_->own_events_max());
  if (!share.resize(impl_->last_ledger_share)) return impl_->events.ledger_events_deferred(impl_->inflight->max());
  std::string texts;
  std::size_t rows = 0;
  for (const LedgerRow& row : impl_->ledger.take(now)) {
    if (row.stream == options.ledger_stream) continue;
    texts += texts.empty() ? '[' : ',';
    append_ledger_event(texts, row, options.user_agent);
    ++rows;
  }
  if (texts.empty()) return;
  texts += ']';
  share.resize_anyway(inflight_weight(texts.size(), rows));
  impl_->last_ledger_share = share.size();
  impl_->make_events(std::move(texts), std::move(share), Origin::ledger, now, executor);
}

std::size_t EventGate::in_flight() const { return impl_->own_events_in_flight.load(); }

void declare_streams(const StreamConfigs& configs, std::string_view topic_prefix, Ledger& ledger) {
  std::vector<Ledger::Declared> declared;
  for (std::string& stream : configs.names()) {
    std::string topic = topic_name(topic_prefix, stream, configs.find(stream));
    if (!is_topic_name(topic)) topic.clear();
    declared.push_back({std::move(stream), std::move(topic)});
  }
  ledger.declare(declared, std::chrono::system_clock::now());
}

}  // namespace eventgate
