#include "broker_refusals.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace eventgate {
namespace {

// The versions of Debian 12 and Debian 13, as 0xMMmmrrff. The last byte of a release is ff.
constexpr std::array<int, 2> kTestedVersions{0x020002ff, 0x020800ff};

}  // namespace

std::optional<std::string_view> doubtfully_refused_topic(std::string_view text) {
  const std::size_t set = text.find("]: MessageSet with ");
  static constexpr std::string_view kBeforeError = " encountered error: ";
  const std::size_t error = text.find(kBeforeError);
  if (set == text.npos || error == text.npos) return std::nullopt;
  const std::string_view error_text = text.substr(error + kBeforeError.size());
  const auto is_error = [&](rd_kafka_resp_err_t code) { return error_text.starts_with(rd_kafka_err2str(code)); };
  if (!is_error(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION) && !is_error(RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR))
    return std::nullopt;
  const std::size_t end = text.rfind(" [", set);
  if (end == text.npos || end == 0) return std::nullopt;
  const std::size_t begin = text.rfind(' ', end - 1) + 1;
  return text.substr(begin, end - begin);
}

bool BrokerRefusals::is_tested(int version) {
  return std::find(kTestedVersions.begin(), kTestedVersions.end(), version) != kTestedVersions.end();
}

void BrokerRefusals::add_line(std::string_view text) {
  const auto topic = doubtfully_refused_topic(text);
  if (!topic) return;
  const std::lock_guard lock(mutex_);
  last_refusals_.insert_or_assign(std::string(*topic), Clock::now());
}

rd_kafka_msg_status_t BrokerRefusals::status(rd_kafka_msg_status_t status, rd_kafka_resp_err_t error,
                                             std::int64_t offset, std::string_view topic,
                                             Clock::time_point handed_over) const {
  if (status == RD_KAFKA_MSG_STATUS_PERSISTED && offset < 0) return RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
  if (status != RD_KAFKA_MSG_STATUS_NOT_PERSISTED) return status;
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN) return RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
  if (!trusted_) {
    return error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? status : RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
  }
  const std::lock_guard lock(mutex_);
  const auto refusal = last_refusals_.find(topic);
  return refusal != last_refusals_.end() && refusal->second >= handed_over ? RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED
                                                                           : status;
}

}  // namespace eventgate
