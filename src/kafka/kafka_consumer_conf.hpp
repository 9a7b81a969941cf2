#pragma once

#include <string>
#include <vector>

#include "eventgate/kafka/kafka_source.hpp"
#include "kafka_conf.hpp"

namespace eventgate {

/// What a consumer client of the read side is for. Each has fetch sizes, and so a bound of memory, of its own.
enum class ConsumerPurpose {
  live,     ///< Follows the ends of topics: about 4 MB a topic, or what the options say.
  replay,   ///< Reads on from old offsets: about 1 MB a partition.
  look_up,  ///< Asks for offsets and reads single records: a batch a partition.
};

/// Returns `live`, `replay` or `look_up`, which is a label of metrics and log lines.
const char* consumer_purpose_name(ConsumerPurpose purpose);

/// Returns librdkafka's configuration of a consumer client that belongs to no group and commits nothing. An option that
/// librdkafka refuses is left out, and `problems` gets its name and librdkafka's reason.
KafkaConf make_consumer_conf(const KafkaSourceOptions& options, ConsumerPurpose purpose,
                             std::vector<std::string>& problems);

}  // namespace eventgate
