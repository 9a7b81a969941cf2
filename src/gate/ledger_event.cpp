#include "ledger_event.hpp"

#include <utility>

#include "eventgate/json/json_text.hpp"
#include "json_scalars.hpp"

namespace eventgate {

void append_ledger_event(std::string& out, const LedgerRow& row, std::string_view emitter_id) {
  // Appends members, with a comma before all but the first of an object.
  const auto append_counts = [&out](std::initializer_list<std::pair<std::string_view, std::uint64_t>> counts) {
    for (const auto& [name, count] : counts) {
      if (!out.ends_with('{')) out += ',';
      out += '"';
      out += name;
      out += "\":";
      out += std::to_string(count);
    }
  };
  const LedgerCounts& counts = row.counts;
  const std::string end = timestamp_json(row.end);
  out += R"({"meta":{"id":)";
  out += random_uuid_json().view();
  out += R"(,"dt":)";
  out += end;
  out += R"(},"dt":)";
  out += timestamp_json(std::chrono::floor<std::chrono::minutes>(row.begin));
  out += R"(,"end_dt":)";
  out += end;
  out += R"(,"emitter_id":)";
  append_json_string(out, emitter_id);
  out += R"(,"stream_name":)";
  append_json_string(out, row.stream);
  append_counts({{"in_flight_before", row.in_flight_before}, {"received", counts.received}});
  out += R"(,"refused":{)";
  for (std::size_t i = 0; i < kFailureCauseCount; ++i)
    if (counts.refused[i] > 0) append_counts({{failure_cause_name(static_cast<FailureCause>(i)), counts.refused[i]}});
  out += '}';
  append_counts({{"produced", counts.produced},
                 {"spooled", counts.spooled},
                 {"delivery_unknown", counts.delivery_unknown},
                 {"lost", counts.lost},
                 {"in_flight_after", row.in_flight_after}});
  out += R"(,"spool":{)";
  append_counts({{"records_before", row.in_spool_before},
                 {"found", counts.spool_found},
                 {"stored", counts.spool_stored},
                 {"replayed", counts.spool_replayed},
                 {"acknowledged_late", counts.spool_acknowledged_late},
                 {"dropped", counts.spool_dropped},
                 {"records_after", row.in_spool_after}});
  out += "}}";
}

}  // namespace eventgate
