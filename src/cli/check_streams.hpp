#pragma once

#include "check.hpp"

namespace eventgate {

class ObjectReader;
class SchemaRepository;
class StreamConfigs;

/// Adds to `found` what keeps every event out of a declared stream: no schema of its title, or none that events can
/// name or the gate can use; a key of which the schema has no field; settings that the gate does not read though they
/// look like those that it does; a name that is no Kafka topic. `reader` reads the documents of schemas. Blocks.
void check_streams(const Config& config, const StreamConfigs& streams, ObjectReader& reader, SchemaRepository& schemas,
                   Findings& found);

}  // namespace eventgate
