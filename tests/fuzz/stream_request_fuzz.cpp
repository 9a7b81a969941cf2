// Requests for streams: lines of the input are the path, the query, Accept, Last-Event-ID, the client's addresses and
// its Authorization. Whatever they say, the result is bounded, and what is refused is refused in JSON.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/readers/client_access.hpp"
#include "eventgate/readers/stream_request.hpp"
#include "eventgate/readers/stream_start.hpp"
#include "require.hpp"

namespace {

using namespace eventgate;

/// Takes the text before the next `separator`, or all that is left.
std::string_view next(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

const ExposedStreams& streams() {
  static const ExposedStreams kStreams(nlohmann::ordered_json::parse(R"({
      "a": {"topics": ["eqiad.a", "codfw.a"], "stream_aliases": ["alias"]},
      "dc": {"topics": ["eqiad.dc"], "topics_allowed": ["codfw.dc"]},
      "p": {"topics": ["eqiad.p"], "private": true}})"),
                                       {.intake = false});
  return kStreams;
}

void require_json(std::string text) {
  const std::size_t size = text.size();
  text.append(kJsonPadding, ' ');
  JsonNodes nodes;
  require(!parse_json(std::string_view(text).substr(0, size), nodes));
}

void require_notice(const std::string& notice) {
  require(notice.size() < 1000);
  for (const char c : notice) require(c >= ' ' && c <= '~');
}

/// A source whose partitions have ten records each, all of one time.
void resolve(const StreamRequest& request) {
  const std::vector<TopicBounds> bounds(request.topics.size(), TopicBounds{true, {{0, 5, 15}}});
  const auto plan = plan_starts(request, bounds);
  if (!plan) {
    require_json(problem_json(plan.error(), "GET", "/"));
    return;
  }
  for (const std::string& notice : plan->notices) require_notice(notice);
  for (const PlannedStart& planned : plan->starts) {
    StartResolver resolver(planned.wanted, planned.bounds);
    int questions = 0;
    while (const auto question = resolver.question()) {
      require(++questions <= 4);
      if (question->kind == StartQuestion::Kind::offset_at) {
        resolver.answer(question->value <= 1000 ? std::optional<std::int64_t>(5) : std::nullopt);
      } else {
        require(question->value >= 5);
        resolver.answer(question->value < 15 ? std::optional(RecordPlace{question->value, 1000}) : std::nullopt);
      }
    }
    require(resolver.position().offset >= 5 && resolver.position().offset <= 15);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view path = next(input, '\n');
  std::string_view query_text = next(input, '\n');
  const std::string_view accept = next(input, '\n');
  const std::string_view last_event_id = next(input, '\n');
  const std::string_view forwarded_for = next(input, '\n');
  const std::string_view authorization = input;
  std::vector<std::pair<std::string, std::string>> query;
  while (!query_text.empty()) {
    std::string_view parameter = next(query_text, '&');
    const std::string_view name = next(parameter, '=');
    query.emplace_back(name, parameter);
  }
  const auto network = parse_network(forwarded_for);
  const std::vector<Network> trusted{network.value_or(Network{})};
  require(client_of({}, forwarded_for, "10.0.0.1", trusted).size() <= 64);
  constexpr std::string_view kToken = "0123456789abcdef";
  require(!has_bearer_token(authorization, kToken) || authorization.find(kToken) != std::string_view::npos);
  const StreamRequestParts parts{path, query, accept, last_event_id, false, false, 1'795'910'400'000};
  const auto request = parse_stream_request(parts, streams());
  if (!request) {
    require(request.error().status == 400 && !request.error().cause.empty() && !request.error().title.empty());
    require_json(problem_json(request.error(), "GET", path));
    return 0;
  }
  require(!request->topics.empty() && request->streams.size() <= StreamRequest::kMaxStreams);
  require(!request->last || (*request->last >= 1 && *request->last <= StreamRequest::kMaxLast));
  require(!request->since || *request->since >= 0);
  require(!request->until || *request->until >= 0);
  require(request->streams.front() != "p");
  for (const std::string& notice : request->notices) require_notice(notice);
  resolve(*request);
  return 0;
}
