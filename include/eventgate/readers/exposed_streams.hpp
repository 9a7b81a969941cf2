#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

/// What is removed from events before they are sent: `redact` of a stream, and `mediawiki_redacted_pages`.
///
/// Immutable. Its definition is readers/redaction's.
class RedactionRules;

/// A stream that clients can read.
struct ExposedStream {
  std::string name;
  std::optional<std::string> alias_of;      ///< Its settings are those of this stream.
  std::vector<std::string> topics;          ///< Legal names, each once.
  std::vector<std::string> topics_allowed;  ///< Further topics that a Last-Event-ID may name.
  bool is_private = false;                  ///< Only clients with `stream_token` see it.
  std::string description;
  std::string schema_title;
};

/// The streams that clients can read, made of the stream configs and the options of the read side.
///
/// Immutable: a reload makes a new one.
class ExposedStreams {
 public:
  ExposedStreams();
  ExposedStreams(std::vector<ExposedStream> streams,
                 std::vector<std::pair<std::string, std::shared_ptr<const RedactionRules>>> rules);
  ~ExposedStreams();

  /// Returns null if no stream or alias has this name. The pointer is valid as long as this object.
  const ExposedStream* find(std::string_view name) const;

  /// In the order declared; aliases follow their stream.
  const std::vector<ExposedStream>& all() const { return streams_; }

  /// The rules of all streams that have `topic`, together. Null: nothing is redacted.
  std::shared_ptr<const RedactionRules> redaction(std::string_view topic) const;

 private:
  std::vector<ExposedStream> streams_;
  std::vector<std::pair<std::string, std::shared_ptr<const RedactionRules>>> rules_;  // sorted by topic
};

}  // namespace eventgate
