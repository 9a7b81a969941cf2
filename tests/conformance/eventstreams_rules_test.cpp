#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/percent.hpp"
#include "eventgate/http/query.hpp"
#include "eventgate/readers/frame.hpp"
#include "eventgate/readers/stream_start.hpp"
#include "eventstreams_cases.hpp"
#include "recorded_topics.hpp"

// Holds the rules of the read side to the recorded replies of EventStreams (golden/eventstreams.md): what a request
// means, where it starts, and what each record looks like. No socket, thread or ring takes part.

namespace eventgate {
namespace {

using golden::json;
using golden::StreamReply;

/// The head of a recorded request.
struct RequestHead {
  std::string method;
  std::string target;
  std::map<std::string, std::string> fields;  ///< Names in lower case; several values with `, ` between them.
};

RequestHead head_of(const std::string& request) {
  RequestHead head;
  std::size_t at = request.find("\r\n");
  const std::string first = request.substr(0, at);
  head.method = first.substr(0, first.find(' '));
  head.target = first.substr(head.method.size() + 1, first.rfind(' ') - head.method.size() - 1);
  for (at += 2; request.compare(at, 2, "\r\n") != 0;) {
    const std::size_t end = request.find("\r\n", at);
    const std::string line = request.substr(at, end - at);
    const std::string name = to_ascii_lower(line.substr(0, line.find(':')));
    const std::string value(trim(line.substr(line.find(':') + 1)));
    const auto [field, is_new] = head.fields.emplace(name, value);
    if (!is_new) field->second += ", " + value;
    at = end + 2;
  }
  return head;
}

std::optional<std::string_view> field(const RequestHead& head, const char* name) {
  const auto found = head.fields.find(name);
  return found == head.fields.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

StreamReply refused(const StreamRefusal& refusal, const RequestHead& head) {
  StreamReply reply{refusal.status};
  reply.headers["content-type"] = "application/json; charset=utf-8";
  reply.body = problem_json(refusal, head.method, head.target);
  reply.head_only = true;
  return reply;
}

StartPosition resolved(const PlannedStart& planned, RecordedTopics& topics) {
  StartResolver resolver(planned.wanted, planned.bounds);
  while (const auto question = resolver.question()) {
    if (question->kind == StartQuestion::Kind::offset_at) {
      const std::vector<PartitionTime> times{{planned.id, question->value}};
      resolver.answer(topics.offsets_at(times, {})->front());
    } else {
      const std::vector<PartitionOffset> offsets{{planned.id, question->value}};
      resolver.answer(topics.records_at(offsets, {})->front());
    }
  }
  return resolver.position();
}

/// Reads all that there is from the starts of a plan, partition by partition.
std::string body_of(const StreamRequest& request, const StartPlan& plan, const std::vector<StartPosition>& starts,
                    const ExposedStreams& exposed, RecordedTopics& topics) {
  std::vector<StreamPosition> positions;
  for (std::size_t i = 0; i < starts.size(); ++i)
    positions.push_back({plan.starts[i].id.topic, plan.starts[i].id.partition, starts[i].offset, starts[i].timestamp});
  const bool is_sse = request.format == StreamFormat::sse;
  std::string body = is_sse ? ":ok\n\n" : "";
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const PartitionId& id = plan.starts[i].id;
    const auto fetched = topics.fetch(id, starts[i].offset, SIZE_MAX, {});
    for (const SourceRecord& record : fetched->records) {
      const Frame frame = make_frame(id.topic, record, exposed.redaction(id.topic).get());
      positions[i].offset = record.offset + 1;
      positions[i].timestamp = record.timestamp + 1;
      if (frame.skip != SkipCause::none) continue;
      if (is_sse) {
        body += "event: message\nid: ";
        append_stream_id(body, positions);
        body += "\ndata: " + std::string(frame.event()) + "\n\n";
      } else {
        body += std::string(frame.event()) + '\n';
      }
    }
  }
  return body;
}

class Rules {
 public:
  explicit Rules(const json& setup) : setup_(setup), topics_(setup) {}

  /// Our reply to a recorded request. Nullopt: a server has to answer it.
  std::optional<StreamReply> answer(const json& recorded) {
    if (!recorded.contains("request") || recorded["name"] == "limit_third") return std::nullopt;
    const RequestHead head = head_of(golden::bytes_of_latin1(recorded["request"]));
    const std::string prefix = "/v2/stream/";
    if ((head.method != "GET" && head.method != "HEAD") || !head.target.starts_with(prefix)) return std::nullopt;
    if (!field(head, "host")) return std::nullopt;
    const std::string rest = head.target.substr(prefix.size());
    const std::size_t question = rest.find('?');
    const auto path = percent_decode_strict(rest.substr(0, question));
    if (!path || path->empty() || rest.substr(0, question).find('/') != std::string::npos) return std::nullopt;
    const Query query = question == std::string::npos ? Query() : parse_query(rest.substr(question + 1));
    const ExposedStreams& exposed = streams_of(recorded["profile"]);
    const StreamRequestParts parts{*path, query, field(head, "accept"), field(head, "last-event-id"), false,
                                   true,  kNow};
    const auto request = parse_stream_request(parts, exposed);
    if (!request) return refused(request.error(), head);
    const auto bounds = topics_.bounds(request->topics, {});
    const auto plan = plan_starts(*request, *bounds);
    if (!plan) return refused(plan.error(), head);
    std::vector<StartPosition> starts;
    for (const PlannedStart& planned : plan->starts) starts.push_back(resolved(planned, topics_));
    // Number 17: whatever is produced behind `:ok` comes.
    const json produced = recorded.value("produce_after_head", json::array());
    for (const json& record : produced) topics_.produce(record);
    StreamReply reply{200};
    reply.headers["content-type"] = request->content_type;
    if (head.method == "GET") reply.body = body_of(*request, *plan, starts, exposed, topics_);
    reply.head_only = true;
    return reply;
  }

 private:
  static constexpr std::int64_t kNow = 1'796'000'000'000;

  const ExposedStreams& streams_of(const std::string& profile) {
    auto& streams = streams_[profile];
    if (streams) return *streams;
    const json& options = setup_["profiles"][profile];
    ExposedStreamOptions exposed;
    exposed.intake = false;
    exposed.stream_config_defaults = options.value("stream_config_defaults", json::object()).dump();
    if (options.contains("allowed_streams"))
      exposed.allowed_streams = options["allowed_streams"].get<std::vector<std::string>>();
    const json pages = options.value("mediawiki_redacted_pages", json::object());
    for (const auto& [domain, titles] : pages.items())
      exposed.mediawiki_redacted_pages.emplace_back(domain, titles.get<std::vector<std::string>>());
    streams = std::make_unique<ExposedStreams>(nlohmann::ordered_json(setup_["stream_config"]), exposed);
    return *streams;
  }

  const json& setup_;
  RecordedTopics topics_;
  std::map<std::string, std::unique_ptr<ExposedStreams>> streams_;
};

TEST(EventStreamsRules, AreThoseOfTheRecordings) {
  const auto recordings = golden::read_event_streams();
  if (!recordings) GTEST_SKIP() << "the recordings of EventStreams are not here: " << golden::kEventStreams;
  Rules rules(recordings->setup);
  std::size_t same = 0;
  std::map<int, std::vector<std::string>> on_purpose;
  std::size_t left = 0;
  for (const json& recorded : recordings->cases) {
    const std::string name = recorded["name"];
    const auto reply = rules.answer(recorded);
    if (!reply) {
      ++left;
      continue;
    }
    const std::string difference = golden::difference(recordings->setup, recorded, *reply);
    EXPECT_EQ(difference, "") << name;
    if (!difference.empty()) continue;
    if (recorded.contains("ours"))
      on_purpose[recorded["ours"]["because"]].push_back(name);
    else
      ++same;
  }
  std::printf("%zu of %zu cases match the recordings; %zu need a server\n", same, recordings->cases.size(), left);
  for (const auto& [number, names] : on_purpose) {
    std::printf("  number %d, on purpose:", number);
    for (const std::string& name : names) std::printf(" %s", name.c_str());
    std::printf("\n");
  }
  EXPECT_GT(same, 50u);
}

}  // namespace
}  // namespace eventgate
