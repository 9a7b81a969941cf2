#pragma once

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "kafka_broker.hpp"

namespace eventgate {

/// A real Kafka cluster of a test's own. Each node is broker and controller; they are numbered from 1.
///
/// A node that comes back leads its partitions again after about a second, because the cluster elects preferred
/// leaders.
class KafkaCluster : public KafkaBroker {
 public:
  /// `settings`: of every broker, as key=value.
  explicit KafkaCluster(int nodes = 3, std::vector<std::string> settings = {})
      : KafkaBroker(options(nodes, std::move(settings))), nodes_(nodes) {
    // A topic may be made once all brokers are registered.
    if (nodes > 1) wait_for("registration of the brokers", [this] { return brokers() == nodes_; });
  }

  int nodes() const { return nodes_; }

  void freeze(int node) { command("freeze " + directory() + of(node)); }
  void thaw(int node) { command("thaw " + directory() + of(node)); }
  void kill(int node) { command("kill " + directory() + of(node)); }
  void stop(int node) { command("stop " + directory() + of(node)); }
  void restart(int node) { command("restart " + directory() + of(node)); }

  /// One list a partition: the nodes that hold it, its preferred leader first.
  using Placement = std::vector<std::vector<std::int32_t>>;

  /// Returns once every partition has its preferred leader and all replicas in sync.
  void create_topic(const std::string& name, const Placement& placement,
                    const std::map<std::string, std::string>& config = {}) {
    const Client client(RD_KAFKA_PRODUCER, address());
    until_not_fenced("topic " + name, [&] { return try_create_topic(client.handle, name, placement, config); });
    wait_for_sync(name, static_cast<int>(placement.size()));
  }

  /// Returns once the topic has `count` partitions with leaders.
  void add_partitions(const std::string& name, int count) {
    const Client client(RD_KAFKA_PRODUCER, address());
    std::array<char, 512> reason{};
    rd_kafka_NewPartitions_t* more =
        rd_kafka_NewPartitions_new(name.c_str(), static_cast<std::size_t>(count), reason.data(), reason.size());
    rd_kafka_queue_t* queue = rd_kafka_queue_new(client.handle);
    rd_kafka_CreatePartitions(client.handle, &more, 1, nullptr, queue);
    const std::string error = result_of(rd_kafka_queue_poll(queue, 120000));
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewPartitions_destroy(more);
    if (!error.empty()) throw std::runtime_error("partitions of " + name + ": " + error);
    wait_for_sync(name, count);
  }

  /// What the cluster says of a partition.
  struct Partition {
    std::int32_t leader = -1;  ///< -1: none.
    std::vector<std::int32_t> replicas;
    std::vector<std::int32_t> in_sync;
  };

  /// The partitions of `topic`; none if there is no such topic, or no broker answers.
  std::vector<Partition> partitions(const std::string& topic) const {
    const Client client(RD_KAFKA_PRODUCER, address());
    return partitions_of(client.handle, topic);
  }

  int leader(const std::string& topic) const {
    const auto found = partitions(topic);
    return found.empty() ? -1 : found[0].leader;
  }

  /// Returns once `count` partitions of `topic` have their preferred leaders and all replicas in sync. Throws
  /// std::runtime_error after five minutes.
  void wait_for_sync(const std::string& topic, int count) const {
    const Client client(RD_KAFKA_PRODUCER, address());
    wait_for("sync of " + topic, [&] {
      const auto found = partitions_of(client.handle, topic);
      return static_cast<int>(found.size()) == count &&
             std::all_of(found.begin(), found.end(), [](const Partition& partition) {
               return !partition.replicas.empty() && partition.leader == partition.replicas.front() &&
                      partition.in_sync.size() == partition.replicas.size();
             });
    });
  }

  /// Of each partition, the number of its leaders so far, as the nodes have written it down: an election adds one, also
  /// if the leader is the same again. -1 where nothing is written.
  std::vector<int> leader_epochs(const std::string& topic, int count) const {
    std::vector<int> epochs(static_cast<std::size_t>(count), -1);
    for (int node = 1; node <= nodes_; ++node) {
      const std::string folder = directory() + (nodes_ == 1 ? "" : '/' + std::to_string(node)) + "/data/" + topic + '-';
      for (int p = 0; p < count; ++p) {
        // Kafka's LeaderEpochCheckpointFile: a version, the number of entries, then `EPOCH OFFSET` a line.
        std::ifstream in(folder + std::to_string(p) + "/leader-epoch-checkpoint");
        int ignored, epoch;
        std::int64_t offset;
        in >> ignored >> ignored;
        int& most = epochs[static_cast<std::size_t>(p)];
        while (in >> epoch >> offset) most = std::max(most, epoch);
      }
    }
    return epochs;
  }

  /// Returns once `holds()`. Throws std::runtime_error after five minutes.
  template <typename Condition>
  static void wait_for(const std::string& what, Condition&& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the cluster has no " + what);
      ::usleep(50000);
    }
  }

 private:
  static std::vector<std::string> options(int nodes, std::vector<std::string> settings) {
    settings.insert(settings.begin(), {"--nodes", std::to_string(nodes)});
    return settings;
  }

  std::string of(int node) const { return nodes_ == 1 ? "" : ' ' + std::to_string(node); }

  int brokers() const {
    const Client client(RD_KAFKA_PRODUCER, address());
    const struct rd_kafka_metadata* metadata = nullptr;
    if (rd_kafka_metadata(client.handle, 0, nullptr, &metadata, 5000) != 0) return 0;
    const int count = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
  }

  static std::vector<Partition> partitions_of(rd_kafka_t* handle, const std::string& topic) {
    const struct rd_kafka_metadata* metadata = nullptr;
    std::vector<Partition> found;
    if (rd_kafka_metadata(handle, 1, nullptr, &metadata, 5000) != 0) return found;
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      if (topic != metadata->topics[i].topic) continue;
      found.resize(static_cast<std::size_t>(metadata->topics[i].partition_cnt));
      for (int p = 0; p < metadata->topics[i].partition_cnt; ++p) {
        const rd_kafka_metadata_partition& partition = metadata->topics[i].partitions[p];
        found.at(static_cast<std::size_t>(partition.id)) = {
            partition.leader,
            {partition.replicas, partition.replicas + partition.replica_cnt},
            {partition.isrs, partition.isrs + partition.isr_cnt}};
      }
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
  }

  static std::string try_create_topic(rd_kafka_t* handle, const std::string& name, const Placement& placement,
                                      const std::map<std::string, std::string>& config) {
    std::array<char, 512> reason{};
    rd_kafka_NewTopic_t* topic =
        rd_kafka_NewTopic_new(name.c_str(), static_cast<int>(placement.size()), -1, reason.data(), reason.size());
    for (std::size_t i = 0; i < placement.size(); ++i) {
      std::vector<std::int32_t> nodes = placement[i];
      rd_kafka_NewTopic_set_replica_assignment(topic, static_cast<std::int32_t>(i), nodes.data(), nodes.size(),
                                               reason.data(), reason.size());
    }
    for (const auto& [key, value] : config) rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
    rd_kafka_queue_t* queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateTopics(handle, &topic, 1, nullptr, queue);
    const std::string error = result_of(rd_kafka_queue_poll(queue, 120000));
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return error;
  }

  /// The error of a request about one topic, or nothing. Destroys `event`.
  static std::string result_of(rd_kafka_event_t* event) {
    if (event == nullptr) return "no answer";
    std::size_t count = 0;
    const rd_kafka_topic_result_t** topics = nullptr;
    if (const auto* created = rd_kafka_event_CreateTopics_result(event))
      topics = rd_kafka_CreateTopics_result_topics(created, &count);
    if (const auto* grown = rd_kafka_event_CreatePartitions_result(event))
      topics = rd_kafka_CreatePartitions_result_topics(grown, &count);
    std::string error = "no answer";
    if (count == 1) {
      const char* text = rd_kafka_topic_result_error_string(topics[0]);
      error = rd_kafka_topic_result_error(topics[0]) == 0 ? "" : text == nullptr ? "error" : text;
    }
    rd_kafka_event_destroy(event);
    return error;
  }

  const int nodes_;
};

}  // namespace eventgate
