#include "refusal_log.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace eventgate {
namespace {

// 0xMMmmrrff: Debian 12 and Debian 13. A preliminary build has another last byte.
constexpr std::array<int, 2> kTested{0x020002ff, 0x020800ff};

}  // namespace

std::optional<std::string_view> doubtfully_refused_topic(std::string_view text) {
  const std::size_t set = text.find("]: MessageSet with ");
  static constexpr std::string_view kBeforeError = " encountered error: ";
  const std::size_t error = text.find(kBeforeError);
  if (set == text.npos || error == text.npos) return std::nullopt;
  const std::string_view said = text.substr(error + kBeforeError.size());
  const auto says = [&](rd_kafka_resp_err_t code) { return said.starts_with(rd_kafka_err2str(code)); };
  if (!says(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION) && !says(RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR))
    return std::nullopt;
  const std::size_t end = text.rfind(" [", set);
  if (end == text.npos || end == 0) return std::nullopt;
  const std::size_t begin = text.rfind(' ', end - 1) + 1;
  return text.substr(begin, end - begin);
}

bool RefusalLog::is_tested(int version) { return std::find(kTested.begin(), kTested.end(), version) != kTested.end(); }

void RefusalLog::note(std::string_view text) {
  const auto topic = doubtfully_refused_topic(text);
  if (!topic) return;
  const std::lock_guard lock(mutex_);
  refusals_.insert_or_assign(std::string(*topic), Clock::now());
}

rd_kafka_msg_status_t RefusalLog::status(rd_kafka_msg_status_t status, rd_kafka_resp_err_t error, std::int64_t offset,
                                         std::string_view topic, Clock::time_point handed_over) const {
  if (status == RD_KAFKA_MSG_STATUS_PERSISTED && offset < 0) return RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
  if (status != RD_KAFKA_MSG_STATUS_NOT_PERSISTED) return status;
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN) return RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
  if (!believed_) {
    return error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? status : RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
  }
  const std::lock_guard lock(mutex_);
  const auto refusal = refusals_.find(topic);
  return refusal != refusals_.end() && refusal->second >= handed_over ? RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED : status;
}

}  // namespace eventgate
