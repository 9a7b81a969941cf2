#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "bench.hpp"
#include "support/paths.hpp"

namespace eventgate::bench {

BenchOptions& bench_options() {
  static BenchOptions all{gate_binary(), ""};
  return all;
}

bool wanted(std::initializer_list<const char*> rows) {
  return std::any_of(rows.begin(), rows.end(), [](const char* row) {
    return std::string_view(row).find(bench_options().only) != std::string_view::npos;
  });
}

Gate::Gate(const std::filesystem::path& directory, const std::string& output, const Running& running)
    : port_(free_port()) {
  write_file(directory / "streams.json",
             running.streams.empty() ? stream_configs_text({search_subject(), revision_subject()}) : running.streams);
  const Subject subject = running.precached ? *running.precached : search_subject();
  std::string precached = "'" + subject.schema_uri + "', /error/2.1.0";
  if (running.precached)
    for (const std::string& uri : schemas_of(subject.schema_base)) precached += ", '" + uri + "'";
  write_file(directory / "config.yaml",
             "service_name: bench\n"
             "num_workers: " +
                 std::to_string(running.threads) +
                 "\n"
                 "max_connections: 20000\n"
                 "keepalive_timeout: 600s\n"
                 "interface: 127.0.0.1\n"
                 "port: " +
                 std::to_string(port_) +
                 "\n"
                 "max_body_size: 1mb\n"
                 "user_agent: bench\n"
                 "stream_field: meta.stream\n"
                 "error_stream: bench.error\n"
                 "schema_file_extension: .yaml\n"
                 "schema_base_uris: ['" +
                 subject.schema_base + "', '" + source_dir() +
                 "/schemas']\n"
                 "schema_precache_uris: [" +
                 precached +
                 "]\n"
                 "schema_precache_required: true\n"
                 "stream_config_uri: " +
                 (directory / "streams.json").string() + "\n" + output);
  const std::filesystem::path log = directory / "log";
  process_.emplace(std::vector<std::string>{bench_options().gate, "serve", "-c", directory / "config.yaml"},
                   running.where, log);
  for (;;) {
    if (!process_->running()) throw std::runtime_error("the gate did not start:\n" + read_file(log));
    if (status_line(port_, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").find(" 200 ") !=
        std::string::npos)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Gate::~Gate() { process_->stop(); }

void empty_files(const std::filesystem::path& directory) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) std::filesystem::resize_file(entry, 0);
}

}  // namespace eventgate::bench
