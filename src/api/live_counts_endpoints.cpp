#include "live_counts_endpoints.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "eventgate/base/timestamp.hpp"
#include "eventgate/json/json_text.hpp"
#include "json_response.hpp"
#include "live_json.hpp"
#include "live_query.hpp"

namespace eventgate {

namespace {

/// Undeclared streams and reasons that a summary has: those with the newest events.
constexpr std::size_t kMaxListed = 200;
/// schema_uris that a summary has of a stream.
constexpr std::size_t kMaxSchemas = 8;

void append_tally(std::string& out, const LiveTally& tally) {
  for (std::size_t i = 0; i < kLiveOutcomeCount; ++i) {
    if (i > 0) out += ',';
    out.append("\"").append(live_outcome_name(static_cast<LiveOutcome>(i))).append("\":");
    out += std::to_string(tally[i]);
  }
}

void append_time(std::string& out, std::int64_t milliseconds) {
  if (milliseconds == 0) {
    out += "null";
    return;
  }
  out += '"';
  append_timestamp(out, TimeMilliseconds(std::chrono::milliseconds(milliseconds)));
  out += '"';
}

/// One stream of a summary.
struct StreamRow {
  std::string stream;
  bool declared = false;
  std::optional<std::string> schema_title;
  std::vector<std::pair<std::int64_t, std::string>> schemas;  ///< The last event's time, and the schema_uri.
  LiveTally outcomes{};
  std::int64_t last_at = 0;
};

/// Returns the declared streams in their order, then others, those with the newest events first.
std::vector<StreamRow> stream_rows(const LiveSummary& summary, const StreamConfigs* configs) {
  std::vector<StreamRow> rows;
  std::map<std::string, std::size_t, std::less<>> places;
  if (configs) {
    for (std::string& name : configs->stream_names()) {
      const StreamConfig* const config = configs->find(name);
      places.emplace(name, rows.size());
      StreamRow& row = rows.emplace_back();
      row.declared = true;
      row.schema_title = config ? config->schema_title : std::nullopt;
      row.stream = std::move(name);
    }
  }
  const std::size_t declared = rows.size();
  for (const LiveSummary::Names& names : summary.names) {
    const auto [place, is_new] = places.emplace(names.stream, rows.size());
    if (is_new) rows.emplace_back().stream = names.stream;
    StreamRow& row = rows[place->second];
    if (!names.schema_uri.empty()) row.schemas.emplace_back(names.last_at, names.schema_uri);
    for (std::size_t i = 0; i < kLiveOutcomeCount; ++i) row.outcomes[i] += names.outcomes[i];
    row.last_at = std::max(row.last_at, names.last_at);
  }
  std::sort(rows.begin() + static_cast<std::ptrdiff_t>(declared), rows.end(),
            [](const StreamRow& a, const StreamRow& b) { return a.last_at > b.last_at; });
  if (rows.size() > declared + kMaxListed) rows.resize(declared + kMaxListed);
  for (StreamRow& row : rows) {
    std::sort(row.schemas.rbegin(), row.schemas.rend());
    if (row.schemas.size() > kMaxSchemas) row.schemas.resize(kMaxSchemas);
  }
  return rows;
}

void append_streams(std::string& out, const std::vector<StreamRow>& rows) {
  out += '[';
  for (const StreamRow& row : rows) {
    if (&row != &rows.front()) out += ',';
    out += '{';
    append_tally(out, row.outcomes);
    append_live_name(out, "stream", row.stream);
    out += row.declared ? ",\"declared\":true" : ",\"declared\":false";
    append_live_name(out, "schema_title", row.schema_title.value_or(""));
    out += ",\"schemas\":[";
    for (const auto& [at, uri] : row.schemas) {
      if (&uri != &row.schemas.front().second) out += ',';
      append_json_string(out, uri);
    }
    out += "],\"last\":";
    append_time(out, row.last_at);
    out += '}';
  }
  out += ']';
}

void append_reasons(std::string& out, std::vector<LiveSummary::Reason>& reasons) {
  std::sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) { return a.last_at > b.last_at; });
  if (reasons.size() > kMaxListed) reasons.resize(kMaxListed);
  out += '[';
  for (const LiveSummary::Reason& reason : reasons) {
    if (&reason != &reasons.front()) out += ',';
    out.append("{\"outcome\":\"").append(live_outcome_name(reason.outcome)).append("\"");
    append_live_name(out, "schema_uri", reason.schema_uri);
    append_live_name(out, "reason", reason.reason);
    out += ",\"path\":";
    append_json_string(out, reason.path);
    out += ",\"count\":" + std::to_string(reason.count) + ",\"last\":";
    append_time(out, reason.last_at);
    out += '}';
  }
  out += ']';
}

std::string summary_json(LiveSummary summary, const LiveFeed& feed, const StreamConfigs* configs) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  std::string out = "{";
  append_tally(out, summary.totals);
  out += ",\"in_flight\":" + std::to_string(summary.in_flight) + ",\"kept\":" + std::to_string(summary.kept);
  out += ",\"last\":" + std::to_string(summary.last);
  out += ",\"epoch\":" + std::to_string(feed.epoch()) + ",\"now\":";
  append_time(out, std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  out += ",\"since\":";
  append_time(out, summary.since);
  out += ",\"seconds\":[";
  std::sort(summary.seconds.begin(), summary.seconds.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  for (const LiveSummary::Second& second : summary.seconds) {
    if (&second != &summary.seconds.front()) out += ',';
    out += '[' + std::to_string(second.second);
    for (const std::uint64_t count : second.outcomes) out += ',' + std::to_string(count);
    out += ']';
  }
  out += "],\"streams\":";
  append_streams(out, stream_rows(summary, configs));
  out += ",\"reasons\":";
  append_reasons(out, summary.reasons);
  out += ",\"unlisted\":" + std::to_string(summary.unlisted);
  out += ",\"unlisted_reasons\":" + std::to_string(summary.unlisted_reasons) + '}';
  return out;
}

/// Returns the detail of a 400 response to a query where none is expected.
std::optional<std::string> check_no_query(const Query& query) {
  if (query.empty()) return std::nullopt;
  return unknown_parameter(query.front().first, "none");
}

}  // namespace

Response LiveCountEndpoint::respond(const Exchange& exchange) const {
  if (std::optional<Response> rejected = access_->check_data(exchange)) return *std::move(rejected);
  LiveFilter filter;
  if (const auto wrong = read_live_filter(exchange.query(), LiveParameters::count, filter))
    return live_rejection(400, *wrong, "live_filter", exchange.request());
  const LiveCount count = feed_.count(filter);
  std::string body = "{";
  append_tally(body, count.outcomes);
  body += ",\"in_flight\":" + std::to_string(count.in_flight);
  if (count.unlisted > 0) body += ",\"unlisted\":" + std::to_string(count.unlisted);
  Response response = json_response(body + '}');
  response.own_origin_only = true;
  return response;
}

Response LiveResetEndpoint::respond(const Exchange& exchange) const {
  if (std::optional<Response> rejected = access_->check_data(exchange)) return *std::move(rejected);
  if (const auto wrong = check_no_query(exchange.query()))
    return live_rejection(400, *wrong, "live_filter", exchange.request());
  feed_.reset();
  Response response;
  response.status = 204;
  response.own_origin_only = true;
  return response;
}

Response LiveSummaryEndpoint::respond(const Exchange& exchange) const {
  if (std::optional<Response> rejected = access_->check_data(exchange)) return *std::move(rejected);
  if (const auto wrong = check_no_query(exchange.query()))
    return live_rejection(400, *wrong, "live_filter", exchange.request());
  const auto configs = streams_ ? streams_->current() : nullptr;
  Response response = json_response(summary_json(feed_.summary(), feed_, configs.get()));
  response.own_origin_only = true;
  return response;
}

}  // namespace eventgate
