// The gate in front of a cluster of three brokers: one is away, leaders move, replicas are too few. What is answered
// with 201 or 202 is in Kafka afterwards, what is `not_produced` is not there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "kafka_check_run.hpp"
#include "kafka_gate.hpp"
#include "support/becomes.hpp"
#include "support/kafka_cluster.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using std::chrono::seconds;

/// Long enough for a cluster that elects another leader.
constexpr seconds kPatience{60};

/// What clients were told of each event of a stream, held to what is in Kafka.
class Answers {
 public:
  Answers(const GateProcess& gate, std::string stream) : gate_(&gate), stream_(std::move(stream)) {}

  /// Posts one event; its status.
  int post(bool hasty = false) {
    const int number = next_++;
    const HttpReply reply = HttpClient(gate_->port(), kPatience)
                                .post(hasty ? "/v1/events?hasty=true" : "/v1/events", keyed_event(stream_, number));
    if (reply.status == 201 || reply.status == 202) {
      taken_.insert(number);
    } else {
      const json context = json::parse(reply.body).at("error").at(0).at("context");
      last_ = context.value("delivery", "none") + ": " + context.value("message", "");
      if (context.value("delivery", "") == "not_produced") refused_.insert(number);
    }
    return static_cast<int>(reply.status);
  }

  /// Guaranteed and hasty by turns, until `over`; at least `least`.
  template <typename Over>
  void post_until(Over&& over, int least = 6) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    for (int i = 0; i < least || !over(); ++i) {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      post(i % 2 == 1);
    }
  }

  /// `delivery: message` of the last error.
  const std::string& last_error() const { return last_; }
  const std::set<int>& taken() const { return taken_; }

  /// Waits for what was promised, and compares.
  void expect_kept(const KafkaCluster& cluster) const {
    EXPECT_TRUE(becomes([&] { return metric(*gate_, "eventgate_inflight_bytes") == 0; }, kPatience));
    std::set<int> found;
    EXPECT_TRUE(becomes(
        [&] {
          const std::vector<int> numbers = keyed_numbers(cluster, stream_);
          found = {numbers.begin(), numbers.end()};
          return std::includes(found.begin(), found.end(), taken_.begin(), taken_.end());
        },
        kPatience))
        << stream_ << ": " << testing::PrintToString(taken_) << " were taken, in Kafka are "
        << testing::PrintToString(found);
    for (const int number : refused_) EXPECT_FALSE(found.contains(number)) << stream_ << ' ' << number;
    EXPECT_EQ(metric(*gate_, "eventgate_hasty_events_lost_total"), 0);
  }

 private:
  const GateProcess* gate_;
  std::string stream_;
  int next_ = 1;
  std::string last_;
  std::set<int> taken_, refused_;
};

/// One cluster for all of them: its start takes the longest. Each test leaves all brokers running.
class Cluster : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!KafkaBroker::unavailable()) cluster_ = std::make_unique<KafkaCluster>();
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  void SetUp() override {
    if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
    ASSERT_NE(cluster_, nullptr);
  }

  static KafkaCluster& kafka() { return *cluster_; }

  static std::unique_ptr<GateProcess> gate(const std::string& more = "", const std::string& timeout = "6s") {
    auto made = std::make_unique<GateProcess>(
        std::vector<std::string>{kShippedConfig},
        config_of(kafka(), more) + "topic_prefix: ''\nproduce_timeout: " + timeout + "\nshutdown_timeout: 30s\n");
    EXPECT_TRUE(becomes([&] { return ready(*made) == 200; }, kPatience));
    return made;
  }
  static int ready(const GateProcess& gate) { return static_cast<int>(HttpClient(gate.port()).get("/readyz").status); }

 private:
  static inline std::unique_ptr<KafkaCluster> cluster_;
};

TEST_F(Cluster, TooFewReplicas_NotProducedUntilTheFollowerIsBack) {
  kafka().create_topic("test.keyed.few", {{2, 3}}, {{"min.insync.replicas", "2"}});
  const auto gate = this->gate();
  Answers answers(*gate, "few");
  EXPECT_EQ(answers.post(), 201);
  kafka().kill(3);
  kafka().wait_for("a leader alone", [&] { return kafka().partitions("test.keyed.few")[0].in_sync.size() == 1; });
  EXPECT_EQ(answers.post(), 500);
  EXPECT_EQ(answers.last_error(), "not_produced: Local: Message timed out");
  EXPECT_EQ(answers.post(true), 202);
  EXPECT_EQ(ready(*gate), 200) << "two of three brokers answer";
  kafka().restart(3);
  EXPECT_TRUE(becomes([&] { return answers.post() == 201; }, kPatience));
  answers.expect_kept(kafka());
}

// The leader has appended, waits for the frozen follower, and finds it out of sync.
TEST_F(Cluster, TooFewReplicasAfterTheAppend_Unknown) {
  kafka().create_topic("test.keyed.after", {{1, 2}}, {{"min.insync.replicas", "2"}});
  const auto gate = this->gate("", "15s");
  Answers answers(*gate, "after");
  EXPECT_EQ(answers.post(), 201);
  kafka().freeze(2);
  EXPECT_EQ(answers.post(), 500);
  EXPECT_THAT(answers.last_error(), testing::StartsWith("unknown: "));
  EXPECT_EQ(ready(*gate), 200);
  kafka().thaw(2);
  EXPECT_TRUE(becomes([&] { return answers.post() == 201; }, kPatience));
  kafka().wait_for_sync("test.keyed.after", 1);
  answers.expect_kept(kafka());
  EXPECT_THAT(keyed_numbers(kafka(), "after"), testing::Contains(2)) << "it was appended";
}

class ClusterLeader : public Cluster, public testing::WithParamInterface<bool> {
 protected:
  /// The leader goes by `leave`, and comes back by `come` and an election of the preferred leader.
  template <typename Leave, typename Come>
  static void move_leader(const std::string& name, Leave&& leave, Come&& come) {
    const bool idempotent = GetParam();
    const std::string stream = name + (idempotent ? "_idempotent" : "");
    const std::string topic = "test.keyed." + stream;
    kafka().create_topic(topic, {{1, 2, 3}}, {{"min.insync.replicas", "2"}});
    const auto gate = Cluster::gate(
        idempotent ? "  guaranteed: {conf: {enable.idempotence: true}}\n  hasty: {conf: {enable.idempotence: true}}\n"
                   : "");
    Answers answers(*gate, stream);
    answers.post_until([] { return true; });
    leave(1);
    answers.post_until([&] { return kafka().leader(topic) > 1; });
    EXPECT_TRUE(becomes([&] { return answers.post() == 201; }, kPatience));
    EXPECT_EQ(ready(*gate), 200);
    come(1);
    answers.post_until([&] { return kafka().leader(topic) == 1; });
    EXPECT_TRUE(becomes([&] { return answers.post() == 201; }, kPatience));
    kafka().wait_for_sync(topic, 1);
    answers.expect_kept(kafka());
    gate->signal(SIGTERM);
    EXPECT_EQ(gate->wait(), 0) << gate->log();
  }
};

TEST_P(ClusterLeader, StoppedAndElectedAgain) {
  move_leader(
      "stopped", [](int node) { kafka().stop(node); }, [](int node) { kafka().restart(node); });
}

TEST_P(ClusterLeader, KilledAndElectedAgain) {
  move_leader(
      "killed", [](int node) { kafka().kill(node); }, [](int node) { kafka().restart(node); });
}

TEST_P(ClusterLeader, FrozenAndElectedAgain) {
  move_leader(
      "frozen", [](int node) { kafka().freeze(node); }, [](int node) { kafka().thaw(node); });
}

INSTANTIATE_TEST_SUITE_P(FanOut, ClusterLeader, testing::Bool(), [](const testing::TestParamInfo<bool>& producer) {
  return std::string(producer.param ? "Idempotent" : "Plain");
});

// Unclean election is off: a replica that lacks records does not lead, so nothing that was acknowledged is lost.
TEST_F(Cluster, BrokerWithAnOlderLog_DoesNotLeadAndNothingIsLost) {
  const std::string topic = "test.keyed.older";
  kafka().create_topic(topic, {{2, 3}}, {{"unclean.leader.election.enable", "false"}});
  const auto gate = this->gate("", "3s");
  Answers answers(*gate, "older");
  EXPECT_EQ(answers.post(), 201);
  kafka().kill(3);
  kafka().wait_for("a leader alone", [&] { return kafka().partitions(topic)[0].in_sync.size() == 1; });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(answers.post(), 201);
  kafka().kill(2);
  kafka().restart(3);
  kafka().wait_for("no leader", [&] { return kafka().leader(topic) == -1; });
  EXPECT_EQ(answers.post(), 500);
  EXPECT_EQ(answers.post(true), 202);
  kafka().restart(2);
  EXPECT_TRUE(becomes([&] { return answers.post() == 201; }, kPatience));
  kafka().wait_for_sync(topic, 1);
  answers.expect_kept(kafka());
}

TEST_F(Cluster, PartitionsAdded_EventsReachThemAndNoneIsLost) {
  kafka().create_topic("test.keyed.grows", {{1, 2, 3}}, {{"min.insync.replicas", "2"}});
  const auto gate = this->gate();
  Answers answers(*gate, "grows");
  answers.post_until([] { return true; });
  kafka().add_partitions("test.keyed.grows", 4);
  answers.post_until([] { return true; }, 20);
  answers.expect_kept(kafka());
}

// Against the table of docs/deploying.md.
TEST_F(Cluster, CheckOfTopics_WarnsOfWhatIsLessThanAPromiseNeeds) {
  const std::map<std::string, std::string> in_sync{{"min.insync.replicas", "2"}};
  kafka().create_topic("checked.good", {{1, 2, 3}, {2, 3, 1}}, in_sync);
  EXPECT_EQ(check("checked", {"good"}, brokers(kafka().address())).output, "no problems\n");

  kafka().create_topic("checked.usual", {{1, 2, 3}});
  kafka().create_topic("checked.two", {{1, 2}, {2, 3}}, in_sync);
  kafka().create_topic("checked.most", {{1, 2, 3}}, {{"min.insync.replicas", "3"}});
  kafka().create_topic("checked.unclean", {{1, 2, 3}},
                       {{"min.insync.replicas", "2"}, {"unclean.leader.election.enable", "true"}});
  EXPECT_EQ(
      check("checked", {"good", "usual", "two", "most", "unclean"}, brokers(kafka().address())).output,
      "warning: kafka: the replication factor is 2: expected at least 3, so that events are kept and taken while "
      "one broker is away: the topic 'checked.two'\n"
      "warning: kafka: min.insync.replicas is 1: expected at least 2, so that a 201 survives the loss of one "
      "broker: the topic 'checked.usual'\n"
      "warning: kafka: min.insync.replicas is 3: expected less than the replication factor, so that events are "
      "taken while one broker is away: the topic 'checked.most'\n"
      "warning: kafka: unclean.leader.election.enable is true: expected false, so that no broker leads that lacks "
      "what was acknowledged: the topic 'checked.unclean'\n"
      "no problems\n");
}

TEST_F(Cluster, OneBrokerAway_ReadyAndSpoolAndMetricsSayWhatIsTrue) {
  const std::string topic = "test.keyed.away";
  kafka().create_topic(topic, {{1, 2, 3}}, {{"min.insync.replicas", "2"}});
  kafka().create_topic("test.keyed.stuck", {{2, 3}}, {{"min.insync.replicas", "2"}});
  const TemporaryFolder folder;
  const auto gate = this->gate("spool: {path: " + folder.path() + "/spool, min_free: 1mb}\n");
  Answers answers(*gate, "away"), stuck(*gate, "stuck");
  EXPECT_EQ(answers.post(), 201);
  EXPECT_EQ(stuck.post(), 201);
  kafka().kill(2);
  answers.post_until([&] { return kafka().leader(topic) == 1 && kafka().partitions(topic)[0].in_sync.size() == 2; });
  EXPECT_EQ(ready(*gate), 200);
  // This topic has too few replicas: its events wait in the spool, and are answered.
  EXPECT_EQ(stuck.post(), 201);
  EXPECT_TRUE(becomes([&] { return metric(*gate, "eventgate_spool_records") >= 1; }, kPatience));
  EXPECT_EQ(ready(*gate), 200);
  EXPECT_EQ(answers.post(), 201);
  kafka().restart(2);
  EXPECT_TRUE(becomes([&] { return metric(*gate, "eventgate_spool_records") == 0; }, kPatience));
  answers.expect_kept(kafka());
  stuck.expect_kept(kafka());
}

}  // namespace
}  // namespace eventgate
