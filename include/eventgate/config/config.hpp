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
#include "eventgate/legacy/legacy_options.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/readers/exposed_streams.hpp"
#include "eventgate/readers/reader_options.hpp"
#include "eventgate/repository/schema_repository.hpp"
#include "eventgate/spool/spool_sink.hpp"
#include "eventgate/streams/stream_config_source.hpp"

namespace eventgate {

/// The options of every module, filled from the merged config files.
struct Config {
  std::string service_name = "eventgate";
  unsigned num_workers = 0;  ///< I/O threads. 0 means one for each core.
  LoggingOptions logging;
  HttpOptions http;
  ApiOptions api;
  GateOptions gate;
  SchemaOptions schema;
  UriReaderOptions schema_reader;
  StreamConfigOptions streams;
  UriReaderOptions stream_reader;       ///< Sends `stream_config_uri_options.headers`; reads up to 16 MB.
  std::optional<FileSinkOptions> file;  ///< Set if an output file is configured, or no output at all.
  std::optional<KafkaSinkOptions> kafka;
  std::optional<SpoolOptions> spool;  ///< Needs `kafka`.
  bool live = false;                  ///< Shows events at `/live`.
  bool dev = false;                   ///< ConfigUse::development: requests are logged.
  bool intake = true;                 ///< Takes events. Without it `kafka`, `file` and `spool` are not set.
  ExposedStreamOptions exposed;
  std::optional<ReaderOptions> readers;  ///< Serves `/v2` with it.
  /// How `readers` reach Kafka: `kafka.streams` over `kafka.conf`. Nullopt: they read the folder of `file`.
  std::optional<KafkaProducerOptions> kafka_readers;
  std::optional<LegacyOptions> legacy;  ///< Takes legacy beacons with it.
  std::chrono::milliseconds produce_timeout{10000};
  std::chrono::milliseconds startup_timeout{30000};  ///< Longest time until the service manager hears READY.
  std::chrono::milliseconds shutdown_timeout{30000};
  std::vector<std::string> warnings;  ///< Unknown keys with the nearest known one, and options without effect.

  /// Those of `warnings` about placeholders whose variable is not set and that have no default.
  std::vector<std::string> unset_variables;

  /// Every option by its dotted path, with the value in effect as JSON. Secrets of Kafka's options are left out.
  std::vector<std::pair<std::string, std::string>> options;
};

/// Every problem of the files. Each line names file, key, value and what was expected.
struct ConfigProblems {
  std::vector<std::string> problems;

  /// The config with defaults in place of bad values, for `check` to go on with. Null if a file could not be read.
  std::shared_ptr<const Config> rest;
};

/// What a config is read for.
enum class ConfigUse {
  service,
  /// `serve --dev`, beside whoever writes schemas. `live` is on and `interface` is 127.0.0.1, unless the files say
  /// otherwise. Schemas and stream configs are looked at each second, whatever the files say.
  development
};

/// Reads `files` and merges later ones over earlier ones, object by object; a list replaces a list. A file has
/// service-runner's layout or flat keys. `{env(NAME,default)}` stands for a variable of the environment. Returns all
/// problems at once. An unknown key is a warning. A null counts as absent with a warning, or is a problem where the
/// default would be dangerous. A section without members changes nothing.
boost::system::result<Config, ConfigProblems> read_config(const std::vector<std::string>& files,
                                                          ConfigUse use = ConfigUse::service);

/// As `read_config`, for one document in memory; messages call it `file`.
boost::system::result<Config, ConfigProblems> config_of(const nlohmann::ordered_json& document,
                                                        const std::string& file);

}  // namespace eventgate
