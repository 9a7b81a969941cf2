#include "refusal_log.hpp"

#include "eventgate/base/quote.hpp"
#include "eventgate/base/timestamp.hpp"
#include "eventgate/logging/log.hpp"

namespace eventgate {
namespace {

constexpr std::string_view kUnknown = "unknown";
/// Kinds that are left for causes alone. There are fewer causes.
constexpr std::size_t kReserved = 64;

void set_key(std::string& key, const RefusalLog::Refusal& refusal, bool is_by_stream) {
  key = refusal.msg;
  key += '\n';
  key += refusal.cause;
  if (!is_by_stream) return;
  key += '\n';
  key += refusal.stream;
  key += '\n';
  key += refusal.schema_uri;
}

}  // namespace

/// Returns the kind of `refusal`, and makes it if it is new.
RefusalLog::Kind& RefusalLog::kind_of(const Refusal& refusal, Clock::time_point now) {
  bool is_by_stream = !refusal.stream.empty();
  set_key(key_, refusal, is_by_stream);
  auto found = kinds_.find(key_);
  if (found == kinds_.end() && kinds_.size() >= kMaxKinds - kReserved) forget_old(now);
  if (found == kinds_.end() && is_by_stream && kinds_.size() >= kMaxKinds - kReserved) {
    is_by_stream = false;
    set_key(key_, refusal, is_by_stream);
    found = kinds_.find(key_);
  }
  if (found != kinds_.end()) return found->second;
  Kind& kind = kinds_[key_];
  kind.msg = refusal.msg;
  kind.cause = refusal.cause;
  if (is_by_stream) {
    kind.stream = refusal.stream;
    kind.schema_uri = refusal.schema_uri;
  }
  kind.since = std::chrono::system_clock::now();
  return kind;
}

void RefusalLog::add(const Refusal& refusal, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Kind& kind = kind_of(refusal, now);
  const bool is_first = kind.total == 0;
  if (kind.count == 0) {
    kind.message = shorten(refusal.message, kMaxMessage);
    kind.example_stream = kind.stream.empty()
                              ? shorten(refusal.stream.empty() ? refusal.example_stream : refusal.stream, kMaxExample)
                              : std::string();
    kind.example_schema_uri =
        kind.schema_uri.empty() ? shorten(refusal.example_schema_uri, kMaxExample) : std::string();
  }
  ++kind.count;
  ++kind.total;
  kind.last_seen = now;
  if (is_first || now - kind.last_line >= kInterval) write(kind, now);
}

void RefusalLog::write_due(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, kind] : kinds_)
    if (kind.count > 0 && now - kind.last_line >= kInterval) write(kind, now);
  forget_old(now);
}

void RefusalLog::write_all(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, kind] : kinds_)
    if (kind.count > 0) write(kind, now);
}

std::size_t RefusalLog::size() const {
  const std::lock_guard lock(mutex_);
  return kinds_.size();
}

void RefusalLog::forget_old(Clock::time_point now) {
  for (auto entry = kinds_.begin(); entry != kinds_.end();) {
    Kind& kind = entry->second;
    if (now - kind.last_seen < kForgetAfter) {
      ++entry;
      continue;
    }
    if (kind.count > 0) write(kind, now);
    entry = kinds_.erase(entry);
  }
}

void RefusalLog::write(Kind& kind, Clock::time_point now) {
  const std::string since = format_timestamp(kind.since);
  const auto count = static_cast<long long>(kind.count);
  const auto total = static_cast<long long>(kind.total);
  kind.count = 0;
  kind.last_line = now;
  // A name that is not known is said to be so, and the client's own text is no name.
  const std::string_view stream = kind.stream.empty() ? kUnknown : std::string_view(kind.stream);
  const std::string_view schema_uri = kind.schema_uri.empty() ? kUnknown : std::string_view(kind.schema_uri);
  const bool is_of_request = kind.stream.empty() && kind.example_stream.empty() && kind.example_schema_uri.empty();
  if (is_of_request) {
    log(LogLevel::warn, kind.msg,
        {{"cause", kind.cause}, {"message", kind.message}, {"count", count}, {"total", total}, {"since", since}});
  } else if (!kind.stream.empty() && !kind.schema_uri.empty()) {
    log(LogLevel::warn, kind.msg,
        {{"stream", stream},
         {"schema_uri", schema_uri},
         {"cause", kind.cause},
         {"message", kind.message},
         {"count", count},
         {"total", total},
         {"since", since}});
  } else {
    log(LogLevel::warn, kind.msg,
        {{"stream", stream},
         {"schema_uri", schema_uri},
         {"cause", kind.cause},
         {"message", kind.message},
         {"count", count},
         {"total", total},
         {"since", since},
         {"example_stream", kind.stream.empty() ? kind.example_stream : kind.stream},
         {"example_schema_uri", kind.example_schema_uri}});
  }
}

}  // namespace eventgate
