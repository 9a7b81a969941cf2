#include "gate/request_scratch.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace eventgate {
namespace {

TEST(RequestSchemas, FindsEachUriByTheNumberItGot) {
  std::vector<std::string> uris;
  for (int i = 0; i < 100; ++i) uris.push_back("/schema/" + std::to_string(i));
  RequestSchemas schemas;
  for (const std::string& uri : uris) {
    EXPECT_EQ(schemas.find(uri), RequestSchemas::kNone);
    const std::uint32_t added = schemas.add(uri, std::nullopt);
    EXPECT_EQ(added + 1, schemas.size());
  }
  for (std::uint32_t i = 0; i < uris.size(); ++i) {
    EXPECT_EQ(schemas.find(uris[i]), i);
    EXPECT_EQ(schemas[i].schema_uri, uris[i]);
  }
  EXPECT_EQ(schemas.find("/other"), RequestSchemas::kNone);
  schemas.clear();
  EXPECT_EQ(schemas.size(), 0u);
  EXPECT_EQ(schemas.find(uris[0]), RequestSchemas::kNone);
}

TEST(MemoryLease, ReturnedMemoryIsEmptyAndUsedAgain) {
  const RequestMemory* first = nullptr;
  {
    MemoryLease lease;
    first = &*lease;
    lease->event_indexes.push_back(1);
    lease->error_events = "[";
    lease->event_schemas.emplace_back();
    lease->live.events.emplace_back();
  }
  MemoryLease lease;
  EXPECT_EQ(&*lease, first);
  EXPECT_TRUE(lease->event_indexes.empty());
  EXPECT_TRUE(lease->error_events.empty());
  EXPECT_TRUE(lease->event_schemas.empty());
  EXPECT_TRUE(lease->live.events.empty());
}

TEST(MemoryLease, MemoryOfALargeRequestIsNotKept) {
  {
    MemoryLease lease;
    lease->error_events.reserve(1 << 20);
  }
  MemoryLease lease;
  EXPECT_LT(lease->error_events.capacity(), std::size_t{1} << 20);
}

}  // namespace
}  // namespace eventgate
