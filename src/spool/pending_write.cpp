#include "pending_write.hpp"

namespace eventgate {

SpooledRecord copy_record(const Record& record, std::int64_t id, Assurance assurance) {
  SpooledRecord copy;
  copy.id = id;
  copy.topic = record.topic;
  if (record.message_key) copy.message_key.emplace(*record.message_key);
  copy.value = record.value;
  copy.timestamp = record.timestamp;
  copy.assurance = assurance;
  return copy;
}

Record view_record(const SpooledRecord& record) {
  Record view;
  view.topic = record.topic;
  if (record.message_key) view.message_key = *record.message_key;
  view.value = record.value;
  view.timestamp = record.timestamp;
  return view;
}

std::size_t size_of(const SpooledRecord& record) {
  constexpr std::size_t kRowOverhead = 128;  // bytes of the other columns and of the index
  return record.value.size() + record.topic.size() + (record.message_key ? record.message_key->size() : 0) +
         kRowOverhead;
}

}  // namespace eventgate
