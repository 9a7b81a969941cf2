#include "eventgate/readers/stream_request.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "accept.hpp"
#include "eventgate/base/ascii.hpp"
#include "eventgate/base/quote.hpp"
#include "eventgate/json/json_text.hpp"
#include "moment.hpp"

namespace eventgate {
namespace {

constexpr std::string_view kBadRequest = "bad_request";
constexpr std::string_view kMomentExpected =
    "expected ISO 8601 or RFC 2822, milliseconds since 1970 (12 digits or more), 0 for the beginning, or how long ago: "
    "-15m with s, m, h or d";
constexpr std::size_t kMaxNamed = 5;  ///< Names that a notice lists.

StreamRefusal bad_request(std::string detail) { return {400, kBadRequest, "Bad Request", std::move(detail)}; }

StreamRefusal invalid_id(std::string detail) {
  return {400, "invalid_last_event_id", "Invalid Last-Event-ID", "Last-Event-ID: " + std::move(detail)};
}

/// Returns a sentence that lists the first of `names`: `A: b, c and 3 more`.
std::string listed(std::string sentence, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size() && i < kMaxNamed; ++i) {
    sentence += i == 0 ? ": " : ", ";
    sentence += notice_text(names[i]);
  }
  if (names.size() > kMaxNamed) sentence += " and " + std::to_string(names.size() - kMaxNamed) + " more";
  return sentence;
}

bool contains(const std::vector<std::string>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

void add_once(std::vector<std::string>& texts, const std::vector<std::string>& more) {
  for (const std::string& text : more)
    if (!contains(texts, text)) texts.push_back(text);
}

/// Reads one request, part by part. Each part fails with a refusal.
class RequestReader {
 public:
  RequestReader(const StreamRequestParts& parts, const ExposedStreams& streams) : parts_(parts), streams_(streams) {}

  boost::system::result<StreamRequest, StreamRefusal> read() {
    for (const auto part :
         {&RequestReader::read_streams, &RequestReader::read_query, &RequestReader::read_last_event_id})
      if (auto refusal = (this->*part)()) return std::move(*refusal);
    const AcceptedFormat accepted = accepted_format(parts_.accept.value_or(""));
    request_.format = accepted.format;
    request_.content_type = accepted.content_type;
    return std::move(request_);
  }

 private:
  using Refusal = std::optional<StreamRefusal>;

  Refusal read_streams() {
    std::string unknown;
    bool all_known = true;
    std::set<std::string, std::less<>> names;
    for (std::string_view rest = parts_.streams;; rest.remove_prefix(rest.find(',') + 1)) {
      const std::string_view name = rest.substr(0, rest.find(','));
      const ExposedStream* stream = streams_.find(name);
      if (stream && (!stream->is_private || parts_.sees_private)) {
        if (names.emplace(name).second && names.size() <= StreamRequest::kMaxStreams) found_.push_back(stream);
      } else {
        if (!all_known) unknown += ',';
        unknown += name;
        all_known = false;
      }
      if (rest.find(',') == std::string_view::npos) break;
    }
    if (!all_known) return StreamRefusal{400, "not_found", "Stream Not Found", "Invalid streams: " + unknown};
    if (names.size() > StreamRequest::kMaxStreams) {
      return bad_request("expected at most " + std::to_string(StreamRequest::kMaxStreams) +
                         " streams in a request, not " + std::to_string(names.size()));
    }
    request_.streams.assign(names.begin(), names.end());
    return std::nullopt;
  }

  Refusal read_query() {
    request_.sees_private = parts_.sees_private;
    request_.canary = parts_.sends_canary;
    std::vector<std::string> unknown;
    for (const auto& [name, value] : parts_.query) {
      if (auto refusal = read_condition(name, value)) return refusal;
      const std::string_view known = known_name(name);
      if (known.empty()) {
        if (!name.starts_with("match.") && !name.starts_with("not.") && !contains(unknown, name)) {
          if (unknown.size() < kMaxNamed * 2) unknown.push_back(name);
        }
        continue;
      }
      // `since[]=...` is a list to the original. It is one moment here.
      const bool is_list = name.size() != known.size();
      if (known == "since" || known == "until") {
        std::string& text = known == "since" ? since_ : until_;
        if (is_list) return invalid_moment(known, name + '=' + value, MomentError::number);
        if (!text.empty()) text += ',';
        text += value;
      } else if (auto refusal = is_list ? bad_request(std::string(known) + ": expected one value, not a list")
                                        : read_parameter(known, value)) {
        return refusal;
      }
    }
    if (!unknown.empty()) request_.notices.push_back(listed("ignored parameters", unknown));
    for (const auto& [name, text, out] :
         {std::tuple("since", &since_, &request_.since), std::tuple("until", &until_, &request_.until)}) {
      if (text->empty()) continue;
      if (*text == "now" && out == &request_.until) {
        *out = parts_.received_at;
        continue;
      }
      const auto moment = parse_moment(*text, parts_.received_at);
      if (!moment) return invalid_moment(name, *text, moment.error());
      *out = *moment;
    }
    if (!conditions_.empty()) request_.filter = EventFilter(std::move(conditions_));
    return std::nullopt;
  }

  /// Returns the parameter that `name`, or `name` before a bracket, names. Empty: none.
  static std::string_view known_name(std::string_view name) {
    const std::string_view bare = name.substr(0, name.find('['));
    for (const std::string_view known : {"since", "until", "last", "limit", "canary", "last_event_id"})
      if (bare == known) return known;
    return {};
  }

  static StreamRefusal invalid_moment(std::string_view name, std::string_view text, MomentError error) {
    std::string detail(name);
    if (error == MomentError::unreadable) {
      // As the original says it.
      detail += " timestamp is not a UTC milliseconds unix epoch and was not parseable: '";
      detail += text;
      detail += '\'';
    } else {
      detail += ' ' + quote(text) + ": ";
      detail += kMomentExpected;
    }
    return {400, "invalid_timestamp", "Invalid timestamp", std::move(detail)};
  }

  Refusal read_parameter(std::string_view name, const std::string& value) {
    if (value.empty()) return std::nullopt;
    if (!given_.emplace(name).second) return bad_request(std::string(name) + ": expected one value, not several");
    if (name == "last_event_id") {
      id_parameter_ = &value;
    } else if (name == "canary") {
      if (value != "true" && value != "false")
        return bad_request("canary " + quote(value) + ": expected true or false");
      request_.canary = value == "true";
    } else if (name == "last") {
      const auto count = count_of(value, StreamRequest::kMaxLast);
      if (!count) return bad_request("last " + quote(value) + ": expected a whole number from 1 to 1000");
      request_.last = static_cast<std::uint32_t>(*count);
    } else {
      request_.limit = count_of(value, INT64_MAX);
      if (!request_.limit)
        return bad_request("limit " + quote(value) + ": expected a whole number of events, 1 or more");
    }
    return std::nullopt;
  }

  static std::optional<std::uint64_t> count_of(const std::string& text, std::uint64_t most) {
    std::uint64_t count = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || count < 1 || count > most)
      return std::nullopt;
    return count;
  }

  /// Adds `match.PATH` and `not.PATH` to the conditions.
  Refusal read_condition(const std::string& name, const std::string& value) {
    const bool negated = name.starts_with("not.");
    if (!negated && !name.starts_with("match.")) return std::nullopt;
    const std::string path = name.substr(name.find('.') + 1);
    if (path.empty() || path.starts_with('.') || path.ends_with('.') || path.find("..") != std::string::npos) {
      return bad_request(quote(name) + ": expected the path of a field after the dot, such as match.meta.domain");
    }
    if (++condition_values_ > EventFilter::kMaxConditions) {
      return bad_request("expected at most " + std::to_string(EventFilter::kMaxConditions) +
                         " values of match. and not. in a request");
    }
    const auto same = std::find_if(conditions_.begin(), conditions_.end(), [&](const EventFilter::Condition& other) {
      return other.negated == negated && other.path.dotted() == path;
    });
    if (same == conditions_.end()) {
      conditions_.push_back({FieldPath(path), {value}, negated});
    } else if (!contains(same->values, value)) {
      same->values.push_back(value);
    }
    return std::nullopt;
  }

  Refusal read_last_event_id() {
    std::string_view text = trim(parts_.last_event_id.value_or(""));
    if (text.empty() && id_parameter_) text = trim(*id_parameter_);
    LastEventId id;
    if (!text.empty()) {
      auto parsed = parse_last_event_id(text);
      if (!parsed) return invalid_id(parsed.error());
      id = std::move(*parsed);
    }
    choose_topics(id);
    if (text.empty()) return std::nullopt;
    request_.ended = id.ended;
    return keep_entries(std::move(id));
  }

  /// A Last-Event-ID that names topics of `topics_allowed` and none of `topics` chooses them instead.
  void choose_topics(const LastEventId& id) {
    std::set<std::string_view> named;
    for (const LastEventEntry& entry : id.entries) named.insert(entry.topic);
    for (const ExposedStream* stream : found_) {
      std::vector<std::string> further;
      for (const std::string& topic : stream->topics_allowed)
        if (named.contains(topic) && !contains(stream->topics, topic)) further.push_back(topic);
      const bool names_own = std::any_of(stream->topics.begin(), stream->topics.end(),
                                         [&named](const std::string& topic) { return named.contains(topic); });
      if (further.empty() || names_own) add_once(request_.topics, stream->topics);
      add_once(request_.topics, further);
    }
  }

  /// Keeps the entries of topics that are subscribed.
  Refusal keep_entries(LastEventId id) {
    std::vector<std::string> left_out;
    std::set<std::pair<std::string, std::int32_t>> partitions;
    for (LastEventEntry& entry : id.entries) {
      if (!contains(request_.topics, entry.topic)) {
        if (!contains(left_out, entry.topic) && left_out.size() < kMaxNamed * 2) left_out.push_back(entry.topic);
        continue;
      }
      if (!partitions.emplace(entry.topic, entry.partition.value_or(-1)).second && entry.partition) {
        return invalid_id("expected each partition once, not partition " + std::to_string(*entry.partition) + " of " +
                          entry.topic + " twice");
      }
      request_.last_event_id.push_back(std::move(entry));
    }
    if (request_.last_event_id.empty())
      return invalid_id(listed("expected a topic of the streams asked for; these are not", left_out));
    if (!left_out.empty())
      request_.notices.push_back(listed("ignored entries of Last-Event-ID, whose topics are not subscribed", left_out));
    return std::nullopt;
  }

  const StreamRequestParts& parts_;
  const ExposedStreams& streams_;
  StreamRequest request_;
  std::vector<const ExposedStream*> found_;
  std::set<std::string_view> given_;
  std::string since_;
  std::string until_;
  const std::string* id_parameter_ = nullptr;
  std::vector<EventFilter::Condition> conditions_;
  std::size_t condition_values_ = 0;
};

}  // namespace

boost::system::result<StreamRequest, StreamRefusal> parse_stream_request(const StreamRequestParts& parts,
                                                                         const ExposedStreams& streams) {
  return RequestReader(parts, streams).read();
}

std::string problem_json(const StreamRefusal& refusal, std::string_view method, std::string_view uri) {
  std::string body = "{\"status\":" + std::to_string(refusal.status);
  const std::pair<std::string_view, std::string_view> members[] = {
      {"type", refusal.cause}, {"title", refusal.title}, {"detail", refusal.detail}, {"method", method}, {"uri", uri}};
  for (const auto& [name, value] : members) {
    body += ",\"";
    body += name;
    body += "\":";
    append_json_string(body, value);
  }
  body += '}';
  return body;
}

StreamRefusal too_many_connections() {
  return {429, "too_many_requests", "Too Many Concurrent Connections From Your Client IP",
          "Your HTTP client is likely opening too many concurrent connections."};
}

std::string notice_text(std::string_view text) {
  constexpr std::size_t kMaxText = 60;
  std::string notice = shorten(text, kMaxText);
  std::replace_if(
      notice.begin(), notice.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return notice;
}

}  // namespace eventgate
