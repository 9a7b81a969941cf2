#include "eventgate/readers/stream_readers.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "eventgate/telemetry/stream_metrics.hpp"
#include "reader_thread.hpp"

namespace eventgate {
namespace {

constexpr std::size_t kReplayThreads = 4;
constexpr std::size_t kMaxThreads = 4;

/// Counts clients against their limits.
class ClientCounts : public std::enable_shared_from_this<ClientCounts> {
 public:
  ClientCounts(std::size_t max, std::size_t max_each) : max_(max), max_each_(max_each) {}

  boost::system::result<std::shared_ptr<void>, StreamRefusal> admit(const std::string& client) {
    const std::lock_guard lock(mutex_);
    if (all_ >= max_)
      return StreamRefusal{503, "max_stream_clients", "Service Unavailable",
                           "All " + std::to_string(max_) + " places for readers are taken (max_stream_clients)."};
    if (max_each_ > 0) {
      std::size_t& count = by_client_[client];
      if (count >= max_each_) return too_many_connections();
      ++count;
    }
    ++all_;
    return std::shared_ptr<void>(nullptr, [self = shared_from_this(), client](std::nullptr_t) { self->leave(client); });
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  void leave(const std::string& client) {
    const std::lock_guard lock(mutex_);
    --all_;
    if (const auto found = by_client_.find(client); found != by_client_.end() && --found->second == 0)
      by_client_.erase(found);
  }

  const std::size_t max_;
  const std::size_t max_each_;
  mutable std::mutex mutex_;
  std::size_t all_ = 0;
  std::unordered_map<std::string, std::size_t> by_client_;
};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

ReadAccess access_of(const ExposedStreams& streams, const StreamRequest& request) {
  std::vector<const ExposedStream*> asked_for;
  for (const std::string& name : request.streams) {
    const ExposedStream* const stream = streams.find(name);
    if (!stream || (stream->is_private && !request.sees_private)) return ReadAccess::none;
    asked_for.push_back(stream);
  }
  for (const std::string& topic : request.topics) {
    if (std::none_of(asked_for.begin(), asked_for.end(), [&](const ExposedStream* stream) {
          return contains(stream->topics, topic) || contains(stream->topics_allowed, topic);
        }))
      return ReadAccess::other_topics;
  }
  return ReadAccess::same;
}

std::size_t thread_count(const ReaderOptions& options) {
  if (options.num_stream_workers > 0) return options.num_stream_workers;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMaxThreads);
}

}  // namespace

struct StreamReaders::Impl {
  Impl(ReaderOptions given, RecordSource& of, StreamMetrics& counts, std::shared_ptr<const ExposedStreams> exposed)
      : options(std::move(given)),
        source(of),
        metrics(counts),
        streams(std::move(exposed)),
        clients(std::make_shared<ClientCounts>(options.max_stream_clients, options.client_ip_connection_limit)) {
    metrics.limited_to(options.max_stream_clients);
  }

  std::shared_ptr<const ExposedStreams> current() const {
    const std::lock_guard lock(streams_mutex);
    return streams;
  }

  const ReaderOptions options;
  RecordSource& source;
  StreamMetrics& metrics;
  mutable std::mutex streams_mutex;
  std::shared_ptr<const ExposedStreams> streams;
  const std::shared_ptr<ClientCounts> clients;
  RingFeeder feeder{source, metrics, options.stream_buffer,
                    [this](const std::string& topic) { return current()->redaction(topic); }};
  StreamOpener opener{source, feeder, metrics};
  WorkPool replay_pool{kReplayThreads};
  const std::shared_ptr<ReplaySlots> slots = std::make_shared<ReplaySlots>(options.max_replays, metrics);
  std::vector<std::unique_ptr<ReaderThread>> threads;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
};

StreamReaders::StreamReaders(ReaderOptions options, RecordSource& source, StreamMetrics& metrics,
                             std::shared_ptr<const ExposedStreams> streams)
    : impl_(std::make_unique<Impl>(std::move(options), source, metrics, std::move(streams))) {
  const ReaderContext context{impl_->options, impl_->source,      impl_->metrics, impl_->feeder,
                              impl_->opener,  impl_->replay_pool, impl_->slots};
  for (std::size_t i = 0; i < thread_count(impl_->options); ++i)
    impl_->threads.push_back(std::make_unique<ReaderThread>(context));
}

StreamReaders::~StreamReaders() { stop(std::chrono::steady_clock::now()); }

const ReaderOptions& StreamReaders::options() const { return impl_->options; }

std::shared_ptr<const ExposedStreams> StreamReaders::streams() const { return impl_->current(); }

void StreamReaders::change_streams(const std::shared_ptr<const ExposedStreams>& streams) {
  {
    const std::lock_guard lock(impl_->streams_mutex);
    impl_->streams = streams;
  }
  const std::vector<std::string> changed = impl_->feeder.change_rules();
  for (const auto& thread : impl_->threads) {
    thread->end_unexposed([streams](const StreamRequest& request) { return access_of(*streams, request); });
    if (!changed.empty()) thread->drop_items(changed);
  }
}

boost::system::result<std::shared_ptr<void>, StreamRefusal> StreamReaders::admit(const std::string& client) {
  return impl_->clients->admit(client);
}

void StreamReaders::note_refused(std::string_view cause) { impl_->metrics.reader_refused(cause); }

std::shared_ptr<StreamOpening> StreamReaders::open(StreamRequest request, std::int64_t received_at,
                                                   std::function<void()> on_done) {
  auto opening =
      std::make_shared<StreamOpening>(std::make_shared<const StreamRequest>(std::move(request)), received_at);
  opening->when_done(std::move(on_done));
  impl_->opener.open(opening);
  return opening;
}

bool StreamReaders::knows_topics(const StreamRequest& request) const { return impl_->opener.knows(request.topics); }

void StreamReaders::start(Connection connection, const std::shared_ptr<StreamOpening>& opening,
                          std::shared_ptr<void> admission) {
  HandedReader handed(connection.socket, std::move(connection.head), connection.chunked, opening, std::move(admission));
  if (impl_->stopped) return;
  if (!opening->is_done()) opening->begin_without_positions();
  const std::size_t number = impl_->next.fetch_add(1, std::memory_order_relaxed) % impl_->threads.size();
  impl_->threads[number]->start(std::move(handed));
}

std::size_t StreamReaders::clients() const { return impl_->clients->size(); }

std::optional<std::string> StreamReaders::not_ready_reason() const { return impl_->source.away_reason(); }

void StreamReaders::stop(std::chrono::steady_clock::time_point deadline) {
  if (impl_->stopped.exchange(true)) return;
  for (const auto& thread : impl_->threads) thread->stop(deadline);
  for (const auto& thread : impl_->threads) thread->join();
  impl_->slots->stop();
  impl_->source.stop();
  impl_->opener.stop();
  impl_->replay_pool.stop();
  impl_->feeder.stop();
}

std::optional<StreamRefusal> opening_refusal(StreamOpening& opening) { return opening.refusal(); }

bool is_opening_done(const StreamOpening& opening) { return opening.is_done(); }

std::vector<std::string> opening_notices(const StreamOpening& opening) { return opening.notices(); }

}  // namespace eventgate
