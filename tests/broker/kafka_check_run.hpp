#pragma once

#include <string>
#include <vector>

#include "support/gate_process.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {

inline constexpr const char* kCheckedSchema = R"({"title": "test", "type": "object", "properties": {
  "$schema": {"type": "string"}, "meta": {"type": "object", "properties": {"stream": {"type": "string"}}}}})";

/// What `eventgate check` says of streams called `streams`, with topics that start with `prefix`, and `config`.
inline GateRun check(const std::string& prefix, const std::vector<std::string>& streams, const std::string& config,
                     const std::vector<std::string>& options = {}) {
  const TemporaryFolder folder;
  std::string declared = "{}\n";
  if (!streams.empty()) declared.clear();
  for (const std::string& stream : streams) declared += stream + ": {schema_title: test}\n";
  folder.write("schemas/test/1.0.0", kCheckedSchema);
  std::vector<std::string> arguments{
      "check", "-c",
      folder.write("base.yaml", "schema_base_uris: [" + folder.path() +
                                    "/schemas]\nstream_config_uri: " + folder.write("streams.yaml", declared) +
                                    "\ntopic_prefix: " + prefix + ".\nmax_future_dt: 1h\n"),
      "-c", folder.write("config.yaml", config)};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return run_gate(arguments);
}

/// A config's `kafka`; `more` is of its `conf`.
inline std::string brokers(const std::string& list, const std::string& more = "") {
  return "kafka:\n  conf: {metadata.broker.list: '" + list + "'" + (more.empty() ? "" : ", " + more) + "}\n";
}

}  // namespace eventgate
