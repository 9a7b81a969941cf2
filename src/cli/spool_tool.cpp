#include "spool_tool.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "config_files.hpp"
#include "eventgate/config/config.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/kafka/kafka_sink.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/spool/spool_sink.hpp"
#include "eventgate/spool/spool_store.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {
namespace {

using Action = CommandLine::SpoolAction;

/// With no record taken for so long, a replay gives up.
constexpr std::chrono::seconds kPatience{60};

std::string time_text(std::int64_t milliseconds) {
  const std::time_t seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string path_of(const CommandLine& line) {
  if (!line.spool_path.empty()) return line.spool_path;
  const Config config = config_of(line.files);
  if (!config.spool) throw std::runtime_error("expected spool.path in the config files, or the spool's folder");
  return config.spool->path;
}

bool chosen(const CommandLine& line, const SpooledRecord& record) {
  if (!line.topic.empty()) return record.topic == line.topic;
  return line.ids.empty() || std::binary_search(line.ids.begin(), line.ids.end(), record.id);
}

/// Ends in the error that reading the store had, after all that can be read.
void each_chosen(SpoolStore& store, const CommandLine& line, const std::function<void(SpooledRecord&)>& visit) {
  store
      .visit_records([&](SpooledRecord& record) {
        if (chosen(line, record)) visit(record);
        return true;
      })
      .value();
}

int list(SpoolStore& store, const CommandLine& line, std::ostream& out) {
  struct Topic {
    std::size_t records = 0, bytes = 0;
    std::int64_t first = 0, oldest = 0;
  };
  std::map<std::string, Topic> topics;
  std::vector<std::string> aside;
  const auto print = [&] {
    for (const auto& [name, topic] : topics)
      out << name << ": " << topic.records << " records, " << topic.bytes << " bytes, the first is " << topic.first
          << " of " << time_text(topic.oldest) << '\n';
    for (const std::string& record : aside) out << record << '\n';
    if (topics.empty() && aside.empty()) out << "empty\n";
  };
  try {
    each_chosen(store, line, [&](SpooledRecord& record) {
      if (record.damaged || !record.undeliverable_reason.empty()) {
        aside.push_back("set aside: record " + std::to_string(record.id) +
                        (record.damaged ? ": damaged" : " of " + record.topic + ": " + record.undeliverable_reason));
        return;
      }
      Topic& topic = topics[record.topic];
      if (topic.records++ == 0) topic.first = record.id, topic.oldest = record.spooled_at;
      topic.bytes += record.value.size();
    });
  } catch (...) {
    print();
    throw;
  }
  print();
  return 0;
}

int cat(SpoolStore& store, const CommandLine& line, std::ostream& out) {
  each_chosen(store, line, [&](SpooledRecord& record) { out << record.value << '\n'; });
  return 0;
}

int export_records(SpoolStore& store, const CommandLine& line, std::ostream& out) {
  each_chosen(store, line, [&](SpooledRecord& record) {
    if (record.damaged) return;
    out << "{\"id\":" << record.id << ",\"topic\":" << json_string(record.topic)
        << ",\"key\":" << (record.message_key ? *record.message_key : "null") << ",\"timestamp\":" << record.timestamp
        << ",\"hasty\":" << (record.assurance == Assurance::hasty ? "true" : "false")
        << ",\"spooled_at\":" << record.spooled_at;
    if (!record.undeliverable_reason.empty()) out << ",\"refusal\":" << json_string(record.undeliverable_reason);
    // An event's text may have line ends between its tokens.
    std::string value = record.value;
    std::replace_if(
        value.begin(), value.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    out << ",\"value\":" << value << "}\n";
  });
  return 0;
}

int verify(SpoolStore& store, std::ostream& out) {
  const std::vector<std::string> problems = store.problems().value();
  for (const std::string& problem : problems) out << problem << '\n';
  if (problems.empty()) out << "no problems\n";
  return problems.empty() ? 0 : 1;
}

int drop(SpoolStore& store, const CommandLine& line, std::ostream& out) {
  std::size_t dropped = 0;
  if (line.all) {
    dropped = store.drop(std::nullopt).value();
  } else {
    std::vector<std::int64_t> ids;
    // Whoever names one means also one that cannot be read.
    if (line.topic.empty()) ids = line.ids;
    if (!line.topic.empty()) each_chosen(store, line, [&](SpooledRecord& record) { ids.push_back(record.id); });
    dropped = store.drop(ids).value();
  }
  out << dropped << " records dropped\n";
  return 0;
}

int replay(const CommandLine& line, std::ostream& out) {
  Config config = config_of(line.files);
  if (!config.kafka) throw std::runtime_error("expected kafka.conf in the config files: where to replay to");
  SpoolOptions options = config.spool.value_or(SpoolOptions());
  options.path = path_of(line);
  SpoolStore store(options.path, SpoolStore::Access::share);
  out << store.requeue_set_aside().value() << " records that were set aside are tried again\n" << std::flush;

  config.logging.output = "stderr";
  start_logging(config.logging);
  config.kafka->spooled = true;
  Metrics metrics(config.service_name);
  Telemetry telemetry(metrics);
  boost::asio::io_context io{1};
  const auto work = boost::asio::make_work_guard(io);
  const auto count = [&store] {
    std::size_t records = 0;
    for (const auto& topic : store.topics().value()) records += topic.records;
    return records;
  };
  std::size_t left = count();
  {
    const std::unique_ptr<Sink> sink =
        make_spool_sink(options, make_kafka_sink(*config.kafka, io.get_executor(), telemetry), telemetry);
    std::thread reports([&io] { io.run(); });
    struct Join {
      ~Join() {
        sink.stop(std::chrono::steady_clock::now() + std::chrono::seconds(10));
        io.stop();
        thread.join();
      }
      Sink& sink;
      boost::asio::io_context& io;
      std::thread& thread;
    } const join{*sink, io, reports};
    auto told = std::chrono::steady_clock::now(), moved = told;
    while (left > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      const auto now = std::chrono::steady_clock::now();
      const std::size_t before = std::exchange(left, count());
      if (left < before) moved = now;
      if (now - moved > kPatience) break;
      if (now - told < std::chrono::seconds(5)) continue;
      told = now;
      out << left << " records left\n" << std::flush;
    }
  }
  const std::size_t aside = store.set_aside_count().value();
  out << left << " records left, " << aside << " set aside\n";
  return left == 0 && aside == 0 ? 0 : 1;
}

}  // namespace

int run_spool_tool(const CommandLine& line, std::ostream& out) {
  if (line.action == Action::replay) return replay(line, out);
  SpoolStore store(path_of(line), SpoolStore::Access::share);
  switch (line.action) {
    case Action::list:
      return list(store, line, out);
    case Action::cat:
      return cat(store, line, out);
    case Action::verify:
      return verify(store, out);
    case Action::export_records:
      return export_records(store, line, out);
    case Action::drop:
      return drop(store, line, out);
    case Action::replay:
      break;
  }
  return 0;
}

}  // namespace eventgate
