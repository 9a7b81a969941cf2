// The gate with a spool and no Kafka behind it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "eventgate/spool/spool_store.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;

TEST(ServiceSpool, TakesEventsUntilItIsFullAndRefusesTheOthersWith503) {
  const TemporaryFolder folder;
  const std::string spool = folder.path() + "/spool";
  GateProcess gate({source_dir() + "/config/config.yaml"},
                   "spool: {path: '" + spool +
                       "', max_bytes: 2mb, min_free: 0}\n"
                       "kafka: {conf: {metadata.broker.list: '127.0.0.1:1'}}\n");
  const std::string event =
      R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event"},"test":")" + std::string(20000, 'x') + "\"}";
  const std::string body = "[" + event + "," + event + "]";
  std::size_t taken = 0;
  HttpReply reply;
  do {
    reply = HttpClient(gate.port()).post("/v1/events", body);
    if (reply.status != 201) break;
    EXPECT_EQ(reply.header("x-eventgate-durability"), "disk");
    taken += 2;
  } while (taken < 1000);
  EXPECT_EQ(reply.status, 503u) << reply.body;
  EXPECT_EQ(reply.header("retry-after"), "1");
  EXPECT_THAT(reply.body, HasSubstr("spool.max_bytes"));
  const HttpReply hasty = HttpClient(gate.port()).post("/v1/events?hasty=true", body);
  EXPECT_EQ(hasty.status, 503u) << hasty.body;
  EXPECT_GT(taken, 10u);
  gate.signal(SIGTERM);
  EXPECT_EQ(gate.wait(), 0) << gate.log();

  SpoolStore store(spool, SpoolStore::Access::share);
  const auto topics = store.topics().value();
  ASSERT_EQ(topics.size(), 1u);
  EXPECT_EQ(topics[0].topic, "eqiad.test.event");
  EXPECT_EQ(topics[0].records, taken);
}

}  // namespace
}  // namespace eventgate
