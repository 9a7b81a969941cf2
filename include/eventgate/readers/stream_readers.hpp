#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/readers/exposed_streams.hpp"
#include "eventgate/readers/reader_options.hpp"
#include "eventgate/readers/stream_request.hpp"
#include "eventgate/source/record_source.hpp"

// The read side. A record is read from the source once for all readers:
//
//     RecordSource::tail --> RingFeeder: make_frame --> TopicRing --> LiveChannel --> StreamReader --> client
//     RecordSource::fetch --> Replay: make_frame -----------------------------------> StreamReader
//
// A reader begins at its position: in the ring if the ring has it, else with a replay. Once it has caught up, it shares
// the channel of all live readers of its subscription.

namespace eventgate {

class StreamMetrics;
class StreamOpening;

/// The readers of streams, with threads of their own.
///
/// Thread-safe.
class StreamReaders {
 public:
  /// `source` and `metrics` must outlive this.
  StreamReaders(ReaderOptions options, RecordSource& source, StreamMetrics& metrics,
                std::shared_ptr<const ExposedStreams> streams);
  /// As `stop` without time.
  ~StreamReaders();

  const ReaderOptions& options() const;

  /// Returns the streams that clients can read. Cheap.
  std::shared_ptr<const ExposedStreams> streams() const;
  /// Puts other streams to use. Readers of streams that are not exposed any more end; redaction counts from the next
  /// frame on.
  void change_streams(const std::shared_ptr<const ExposedStreams>& streams);

  /// Counts a client of a stream, as `client_of` names it, until the result is destroyed. Fails with 503 if there are
  /// `max_stream_clients`, and with 429 if the client has `client_ip_connection_limit`.
  boost::system::result<std::shared_ptr<void>, StreamRefusal> admit(const std::string& client);

  /// Counts a request that was refused.
  void note_refused(std::string_view cause);

  /// Begins to find the positions of a stream that was asked for at `received_at`, milliseconds since 1970. Calls
  /// `on_done` once when that has ended, perhaps at once and on any thread.
  std::shared_ptr<StreamOpening> open(StreamRequest request, std::int64_t received_at, std::function<void()> on_done);

  /// Returns true if the topics of the request were once known: then a stream may begin without its positions.
  bool knows_topics(const StreamRequest& request) const;

  /// A connection whose stream begins.
  struct Connection {
    int socket = -1;   ///< Connected and nonblocking. The reader closes it.
    std::string head;  ///< The head of the response.
    bool chunked = true;
  };
  /// Sends the stream to the client. If `opening` is not done, the stream begins without its positions. `admission` is
  /// that of `admit`.
  void start(Connection connection, const std::shared_ptr<StreamOpening>& opening, std::shared_ptr<void> admission);

  /// Returns the clients that `admit` counts.
  std::size_t clients() const;

  /// Returns why streams cannot be read now, or nullopt.
  std::optional<std::string> not_ready_reason() const;

  /// Ends all streams properly, at `deadline` at the latest. Blocks.
  void stop(std::chrono::steady_clock::time_point deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Returns why an opening that is done was refused, or nullopt.
std::optional<StreamRefusal> opening_refusal(StreamOpening& opening);
/// Returns true if the opening is done.
bool is_opening_done(const StreamOpening& opening);
/// Returns the sentences for the head of the response. Empty until the opening is done.
std::vector<std::string> opening_notices(const StreamOpening& opening);

}  // namespace eventgate
