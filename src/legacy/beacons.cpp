#include "eventgate/legacy/beacons.hpp"

#include <unistd.h>

#include <array>
#include <climits>
#include <utility>
#include <vector>

#include "capsule_event.hpp"
#include "eventgate/base/ascii.hpp"
#include "eventgate/base/quote.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/gate/client_address.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/schema_loads.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/legacy/user_agents.hpp"
#include "eventgate/telemetry/beacon_metrics.hpp"

namespace eventgate {

namespace {

constexpr std::size_t kMaxQuoted = 100;  // bytes of a client's text in a message

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

/// The header fields of a beacon. A server passes on the user agent of its own client in the capsule.
struct BeaconHeaders {
  const void* headers = nullptr;
  std::optional<std::string_view> (*find_header)(const void* headers, std::string_view name) = nullptr;
  std::string user_agent;

  /// Makes `context` read these fields, which must outlive it.
  void put_in_front(RequestContext& context) {
    headers = context.headers;
    find_header = context.find_header;
    context.headers = this;
    context.find_header = find;
  }

 private:
  static std::optional<std::string_view> find(const void* beacon_headers, std::string_view name) {
    const auto& self = *static_cast<const BeaconHeaders*>(beacon_headers);
    if (equals_ignoring_case(name, "user-agent")) return self.user_agent;
    return self.find_header ? self.find_header(self.headers, name) : std::nullopt;
  }
};

std::string_view outcome_of_cause(std::string_view cause) {
  if (cause.empty()) return "success";
  return cause == failure_cause_name(FailureCause::invalid) ? "invalid" : "error";
}

/// Returns the label of an event that failed: the `error_type` of its error event.
std::string_view cause_label(std::string_view cause) {
  return cause == failure_cause_name(FailureCause::invalid) ? error_type(FailureCause::invalid) : cause;
}

/// Returns the cause without the prefix that it has among those of other events.
std::string_view refusal_label(FailureCause cause) {
  constexpr std::string_view kPrefix = "legacy_";
  return failure_cause_name(cause).substr(kPrefix.size());
}

}  // namespace

/// A beacon made a batch, or the refusal of one.
struct Beacons::Prepared {
  std::optional<EventBatch> batch;
  std::optional<BeaconRefusal> refusal;
  std::optional<LegacyTarget> target;  ///< Of a refusal, if its schema is known.
  std::string user_agent;              ///< That of the capsule. Empty: the request's header counts.
  std::shared_ptr<const ParsedUserAgent> parsed_user_agent;
};

/// The event of a beacon whose client has its answer.
struct Beacons::Events final : HastyRequest {
  Events(EventBatch events, std::unique_ptr<BeaconRequest> beacon, std::string user_agent)
      : HastyRequest(std::move(events), std::move(beacon->context)), request(std::move(beacon)) {
    held = std::move(request->held);
    if (user_agent.empty()) return;
    headers.user_agent = std::move(user_agent);
    headers.put_in_front(context);
  }
  const std::unique_ptr<BeaconRequest> request;
  BeaconHeaders headers;
};

Beacons::Beacons(LegacyOptions options, BeaconLimits limits, EventGate& gate, SchemaRepository& schemas,
                 BeaconMetrics& metrics, UserAgents* user_agents)
    : options_(std::move(options)),
      limits_(limits),
      gate_(gate),
      schemas_(schemas),
      metrics_(metrics),
      user_agents_(user_agents),
      host_json_(json_string(host_name())) {}

Beacons::~Beacons() = default;

/// Looks at the host and the user agent of a beacon. Returns why its sender is refused, or nullopt.
std::optional<BeaconRefusal> Beacons::check_sender(JsonValue capsule, const RequestContext& context,
                                                   Prepared& prepared) const {
  std::string buffer;
  const std::string_view host = capsule_host(capsule, buffer);
  if (host.empty()) {
    if (options_.web_host_required)
      return BeaconRefusal{FailureCause::legacy_web_host,
                           "The beacon names no host: expected a string at 'webHost' (legacy.web_host_required)",
                           {}};
  } else if (!options_.web_hosts.empty() && !is_own_host(host, options_.web_hosts)) {
    return BeaconRefusal{FailureCause::legacy_web_host,
                         "The beacon comes from " + quote(host, kMaxQuoted) + ": expected a host of legacy.web_hosts",
                         {}};
  }
  prepared.user_agent = capsule_user_agent(capsule, buffer);
  if (!user_agents_) return std::nullopt;
  const std::string_view text =
      prepared.user_agent.empty() ? context.header("user-agent").value_or("") : std::string_view(prepared.user_agent);
  bool was_kept = false;
  prepared.parsed_user_agent = user_agents_->find(text, was_kept);
  metrics_.user_agent(!prepared.parsed_user_agent ? "too_long" : was_kept ? "kept" : "parsed");
  const ParsedUserAgent* const parsed = prepared.parsed_user_agent.get();
  if (options_.bots == LegacyOptions::Bots::drop && parsed && parsed->is_bot && !parsed->is_mediawiki)
    return BeaconRefusal{FailureCause::legacy_bot,
                         "A bot sent the beacon, and legacy.bots is drop: " + quote(to_valid_utf8(text), kMaxQuoted),
                         {}};
  return std::nullopt;
}

/// Makes the batch of a beacon, or its refusal. Returns false if the schema must be loaded first: `prepared.target` is
/// its name. Never suspends, so the memory of the capsule is the thread's.
bool Beacons::try_prepare(const BeaconRequest& request, std::uint64_t number, std::optional<SchemaResult>& schema,
                          Prepared& prepared) const {
  thread_local Capsule capsule;
  prepared = {};
  if ((prepared.refusal = read_capsule(request.query, limits_.json, capsule))) return true;
  auto target = find_target(capsule.root(), options_);
  if (!target) {
    prepared.refusal = std::move(target).error();
    prepared.refusal->text = capsule.text;
    return true;
  }
  if (!schema) schema = schemas_.find(target->schema_uri);
  prepared.target = *std::move(target);
  if (!schema) return false;
  if (!prepared.target->is_listed && !*schema && schema->error().reason.empty()) {
    prepared.refusal = BeaconRefusal{
        FailureCause::legacy_unknown_schema,
        "The schema '" + prepared.target->name + "' is not known here: there is no " + prepared.target->schema_uri,
        capsule.text};
    return true;
  }
  if ((prepared.refusal = check_sender(capsule.root(), request.context, prepared))) {
    prepared.refusal->text = capsule.text;
    return true;
  }
  BeaconFacts facts{request.context.received_at, number, host_json_};
  if (options_.ip) facts.address = client_address(request.context);
  if (prepared.parsed_user_agent) facts.useragent_json = prepared.parsed_user_agent->json;
  if (*schema) facts.schema = (**schema).get();
  auto batch = EventBatch::parse(make_event(capsule, *prepared.target, facts), limits_.json);
  if (!batch) {
    prepared.refusal = BeaconRefusal{FailureCause::legacy_malformed,
                                     "The beacon makes no event: expected " + batch.error().expected, capsule.text};
    return true;
  }
  batch->set_sent_text(std::move(capsule.text));
  prepared.batch = *std::move(batch);
  return true;
}

Task<Beacons::Prepared> Beacons::prepare(const BeaconRequest& request, std::uint64_t number) {
  Prepared prepared;
  std::optional<SchemaResult> schema;
  if (!try_prepare(request, number, schema, prepared)) {
    const IoExecutor executor = co_await ThisExecutor();
    std::vector<std::string> uris{prepared.target->schema_uri};
    co_await suspend_with([&](ResumeHandle suspended) {
      load_schemas(
          schemas_, std::move(uris), limits_.schema_load_timeout, executor,
          [&schema](std::size_t, SchemaResult loaded) { schema.emplace(std::move(loaded)); }, std::move(suspended));
    });
    try_prepare(request, number, schema, prepared);
  }
  co_return std::move(prepared);
}

/// Tells the gate of a beacon that makes no event. `target` may be null.
void Beacons::refuse(const BeaconRefusal& refusal, const LegacyTarget* target, const RequestContext& context,
                     const IoExecutor& executor) const {
  std::optional<LegacyTarget> named;
  if (!target) {
    named = find_named_schema(refusal.text, options_);
    if (named) target = &*named;
  }
  const std::string stream = target ? legacy_stream(target->name) : std::string();
  gate_.refuse({refusal.text, refusal.cause, refusal.message, stream,
                target ? std::string_view(target->schema_uri) : std::string_view()},
               context, executor);
}

void Beacons::count(const BeaconOutcome& outcome, std::size_t query) const {
  if (outcome.refusal) return metrics_.beacon("refused", refusal_label(outcome.refusal->cause), query);
  const std::string_view cause = outcome.result.failure_cause;
  metrics_.beacon(outcome_of_cause(cause), cause_label(cause), query);
}

Task<void> Beacons::take(std::unique_ptr<BeaconRequest> request) {
  const std::uint64_t number = count_.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::size_t query = request->query.size();
  Prepared prepared = co_await prepare(*request, number);
  if (prepared.refusal) {
    const IoExecutor executor = co_await ThisExecutor();
    refuse(*prepared.refusal, prepared.target ? &*prepared.target : nullptr, request->context, executor);
    metrics_.beacon("refused", refusal_label(prepared.refusal->cause), query);
    co_return;
  }
  auto events =
      std::make_unique<Events>(*std::move(prepared.batch), std::move(request), std::move(prepared.user_agent));
  events->on_outcome = [this, query](std::string_view cause) {
    metrics_.beacon(outcome_of_cause(cause), cause_label(cause), query);
  };
  co_await gate_.process_hasty(std::move(events));
}

Task<BeaconOutcome> Beacons::process(const BeaconRequest& request) {
  const std::uint64_t number = count_.fetch_add(1, std::memory_order_relaxed) + 1;
  Prepared prepared = co_await prepare(request, number);
  BeaconOutcome outcome;
  if (prepared.refusal) {
    const IoExecutor executor = co_await ThisExecutor();
    refuse(*prepared.refusal, prepared.target ? &*prepared.target : nullptr, request.context, executor);
    outcome.refusal = std::move(prepared.refusal);
  } else {
    RequestContext context = request.context;
    BeaconHeaders headers;
    if (!prepared.user_agent.empty()) {
      headers.user_agent = std::move(prepared.user_agent);
      headers.put_in_front(context);
    }
    outcome.result = co_await gate_.process(*std::move(prepared.batch), context);
  }
  count(outcome, request.query.size());
  co_return std::move(outcome);
}

std::string Beacons::refuse_too_long(std::string_view query, const RequestContext& context,
                                     const IoExecutor& executor) {
  count_.fetch_add(1, std::memory_order_relaxed);
  std::string message = "The query of the beacon is too long: expected at most " + std::to_string(options_.max_query) +
                        " bytes (legacy.max_query), found " + std::to_string(query.size());
  BeaconRefusal refusal{FailureCause::legacy_too_long, message, std::string(query)};
  // The whole text may be UTF-8 and name a schema; a cut one is good enough for both.
  Capsule capsule;
  if (std::optional<BeaconRefusal> other = read_capsule(query, limits_.json, capsule)) {
    refusal.text = std::move(other->text);
  } else {
    refusal.text = std::move(capsule.text);
  }
  refuse(refusal, nullptr, context, executor);
  metrics_.beacon("refused", refusal_label(refusal.cause), query.size());
  return message;
}

void Beacons::count_turned_away(std::string_view cause, std::size_t query) {
  count_.fetch_add(1, std::memory_order_relaxed);
  metrics_.beacon("error", cause, query);
}

std::string_view beacon_outcome_name(const BeaconOutcome& outcome) {
  return outcome.refusal ? std::string_view("refused") : outcome_of_cause(outcome.result.failure_cause);
}

}  // namespace eventgate
