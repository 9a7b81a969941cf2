#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/api/routes.hpp"
#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/files/file_sink.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/http/http_options.hpp"
#include "eventgate/kafka/kafka_sink.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/spool/spool_sink.hpp"
#include "eventgate/streams/stream_config_source.hpp"

namespace eventgate {

/// The whole configuration: every module's options, filled from the merged files.
struct Config {
  std::string service_name = "eventgate";
  unsigned num_workers = 0;  ///< I/O threads; 0: one for each core.
  LoggingOptions logging;
  HttpOptions http;
  ApiOptions api;
  GateOptions gate;
  SchemaOptions schema;
  UriReaderOptions schema_reader;
  StreamConfigOptions streams;
  UriReaderOptions stream_reader;       ///< With `stream_config_uri_options.headers`, and up to 16 MB.
  std::optional<FileSinkOptions> file;  ///< The default where neither output is configured.
  std::optional<KafkaSinkOptions> kafka;
  std::optional<SpoolOptions> spool;  ///< In front of `kafka`.
  bool live = false;                  ///< Events are shown at `/live`.
  std::chrono::milliseconds produce_timeout{10000};
  std::chrono::milliseconds startup_timeout{30000};  ///< The service manager is told by then that it serves.
  std::chrono::milliseconds shutdown_timeout{30000};
  std::vector<std::string> warnings;  ///< Unknown keys (with the nearest known one), and what is not done.

  /// Every option there is, by its dotted path, with its value as JSON; secrets of Kafka's options are left out.
  std::vector<std::pair<std::string, std::string>> options;
};

/// Every problem found in the files, one a line: file, key, value, what was expected.
struct ConfigProblems {
  std::vector<std::string> problems;

  /// What the rest of the files says, with what is no good at its default. Null if a file could not be read.
  std::shared_ptr<const Config> rest;
};

/// Reads `files`, later ones merged over earlier ones object by object (lists are replaced), and fills the options.
/// Each has service-runner's layout or its flat keys, and `{env(NAME,default)}` in its text stands for a variable of
/// the environment. All problems are found in one go. Unknown keys are warnings. A key that is null counts as absent,
/// with a warning, or is a problem where that would be dangerous. A section without members takes nothing away.
boost::system::result<Config, ConfigProblems> read_config(const std::vector<std::string>& files);

/// The same of one document already read; `file` names it in messages.
boost::system::result<Config, ConfigProblems> config_of(const nlohmann::ordered_json& document,
                                                        const std::string& file);

}  // namespace eventgate
