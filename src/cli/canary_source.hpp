#pragma once

#include <memory>
#include <string>

#include "eventgate/config/config.hpp"
#include "eventgate/gate/canary_event.hpp"
#include "eventgate/repository/schema_repository.hpp"

namespace eventgate {

class Telemetry;

/// Makes canaries for commands, from the schemas as they are now.
///
/// Use on one thread. Blocks.
class CanarySource {
 public:
  /// `config` and `telemetry` must outlive this.
  CanarySource(const Config& config, Telemetry& telemetry);

  /// Returns the event, or why there is none.
  CanaryText event(const Canary& canary, const std::string& schema_title);

  /// Returns why the schema of the title has no example that it takes, or an empty text.
  std::string example_problem(const std::string& stream, const std::string& schema_title);

 private:
  SchemaResult schema(const std::string& uri);

  const Config& config_;
  SchemaRepository schemas_;
};

}  // namespace eventgate
