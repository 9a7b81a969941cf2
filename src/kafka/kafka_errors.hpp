#pragma once

#include <librdkafka/rdkafka.h>

#include "eventgate/delivery/delivery_failure.hpp"

namespace eventgate {

// The meaning of librdkafka's error codes for a record. KafkaProducer decides with them what to do with a delivery
// report.

/// Returns true if the broker may have refused this record because of another one in the same request: one that is too
/// large, or whose timestamp is invalid, or the request as a whole is too large.
bool may_concern_another_record(rd_kafka_resp_err_t error);

/// Returns true for the errors that librdkafka reports for the records of a client that has a fatal error.
bool is_fatal_producer_error(rd_kafka_resp_err_t error);

/// Returns what the cause of `error` concerns.
FailureScope failure_scope(rd_kafka_resp_err_t error);

/// Returns true if an ACL of Kafka denies the gate the right to produce.
bool is_access_denied(rd_kafka_resp_err_t error);

}  // namespace eventgate
