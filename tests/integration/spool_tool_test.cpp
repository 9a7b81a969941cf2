// `eventgate spool`, as a process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "eventgate/spool/spool_store.hpp"
#include "support/gate_process.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SpoolTool : public testing::Test {
 protected:
  SpoolTool() : store_(path(), SpoolStore::Access::own) {
    std::vector<SpooledRecord> records(3);
    for (std::size_t i = 0; i < records.size(); ++i) {
      records[i].id = static_cast<std::int64_t>(i) + 1;
      records[i].topic = i == 2 ? "other" : "test.event";
      records[i].value = "{\"n\":\n" + std::to_string(i + 1) + "}";
      records[i].timestamp = 1795313730000;
      records[i].spooled_at = 1795313731000;
    }
    records[0].message_key = "{\"k\":1}";
    records[1].undeliverable_reason = "too large";
    const std::vector<const SpooledRecord*> all{&records[0], &records[1], &records[2]};
    store_.apply({all, {}, {}}).value();
  }

  std::string path() const { return folder_.path() + "/spool"; }
  GateRun tool(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "spool");
    arguments.push_back(path());
    return run_gate(arguments);
  }

  TemporaryFolder folder_;
  SpoolStore store_;  // as if a gate had it
};

TEST_F(SpoolTool, ListsTopicsAndWhatIsSetAside) {
  const GateRun run = tool({"list"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output,
            "other: 1 records, 8 bytes, the first is 3 of 2026-11-22T02:15:31Z\n"
            "test.event: 1 records, 8 bytes, the first is 1 of 2026-11-22T02:15:31Z\n"
            "set aside: record 2 of test.event: too large\n");
}

TEST_F(SpoolTool, PrintsAndExportsRecords) {
  EXPECT_EQ(tool({"cat", "3"}).output, "{\"n\":\n3}\n");
  const GateRun run = tool({"export", "--topic", "test.event"});
  EXPECT_EQ(
      run.output,
      R"({"id":1,"topic":"test.event","key":{"k":1},"timestamp":1795313730000,"hasty":false,"spooled_at":1795313731000,"value":{"n": 1}})"
      "\n"
      R"({"id":2,"topic":"test.event","key":null,"timestamp":1795313730000,"hasty":false,"spooled_at":1795313731000,"refusal":"too large","value":{"n": 2}})"
      "\n");
}

TEST_F(SpoolTool, DropsWhatIsNamed) {
  EXPECT_EQ(tool({"drop", "2", "99"}).output, "1 records dropped\n");
  EXPECT_EQ(tool({"drop", "--topic", "other"}).output, "1 records dropped\n");
  EXPECT_EQ(store_.last_id().value(), 1);
  EXPECT_EQ(tool({"drop", "--all"}).output, "1 records dropped\n");
  EXPECT_EQ(tool({"list"}).output, "empty\n");
}

TEST_F(SpoolTool, VerifyFailsIfSomethingIsDamaged) {
  const GateRun good = tool({"verify"});
  EXPECT_EQ(good.status, 0) << good.output;
  EXPECT_EQ(good.output, "no problems\n");

  while (store_.shrink()) continue;  // out of the log
  const std::string copy = folder_.path() + "/copy";
  std::filesystem::copy(path(), copy);
  std::fstream file(copy + "/spool.db", std::ios::binary | std::ios::in | std::ios::out);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  file.seekp(static_cast<std::streamoff>(bytes.find("{\"n\":\n3}")));
  file << "{\"m\":";
  file.close();
  const GateRun bad = run_gate({"spool", "verify", copy});
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.output, HasSubstr("record 3 is damaged"));
}

TEST_F(SpoolTool, LeavesTheReplayToTheGateThatHasTheSpool) {
  const std::string config = folder_.write(
      "config.yaml", "spool: {path: '" + path() + "'}\nkafka: {conf: {metadata.broker.list: '127.0.0.1:1'}}\n");
  const GateRun run = run_gate({"spool", "replay", "-c", config});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output,
              AllOf(HasSubstr("1 records that were set aside are tried again"), HasSubstr("another gate uses it")));
  EXPECT_EQ(store_.set_aside_count().value(), 0u);
}

TEST_F(SpoolTool, SaysWhereThereIsNoSpool) {
  const GateRun run = run_gate({"spool", "list", folder_.path()});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("expected a folder with a spool in it"));
}

}  // namespace
}  // namespace eventgate
