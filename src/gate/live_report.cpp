#include "live_report.hpp"

#include <span>

#include "event_outcome.hpp"
#include "eventgate/json/json_text.hpp"

namespace eventgate {

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

void report_live_events(LiveFeed& feed, const RequestContext& context, Assurance assurance, RequestMemory& memory,
                        const ProcessResult& result) {
  LiveNotes& live = memory.live;
  if (live.events.empty()) return;
  if (!context.query.empty()) append_live_query(live.query, context);
  auto invalid = result.invalid.begin();
  auto error = result.error.begin();
  std::size_t record = 0;
  std::size_t added_begin = 0;
  for (std::size_t i = 0; i < live.events.size(); ++i) {
    LiveEvent& event = live.events[i];
    event.received_at = to_milliseconds(context.received_at);
    event.hasty = assurance == Assurance::hasty;
    event.query = live.query;
    event.added = std::span<const TextRange>(live.added).subspan(added_begin, live.added_ends[i] - added_begin);
    added_begin = live.added_ends[i];
    if (event.outcome == LiveOutcome::invalid && invalid != result.invalid.end()) event.status = &*invalid++;
    if (event.outcome == LiveOutcome::error && error != result.error.end()) event.status = &*error++;
    const bool has_record = record < memory.records.size() && memory.event_indexes[record] == i;
    if (has_record) {
      event.topic = memory.records[record].topic;
      event.key = memory.records[record].message_key.value_or(std::string_view());
    }
    if (event.text.empty()) {
      if (event.status) {
        event.text = event.status->event;
      } else if (has_record) {
        event.text = memory.records[record].value;
      }
    }
    if (has_record) ++record;
  }
  feed.add(live.events);
  feed.end(live.events.size());
}

}  // namespace eventgate
