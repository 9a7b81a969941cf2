// `eventgate schema`, as a process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/gate_process.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class SchemaTool : public testing::Test {
 protected:
  SchemaTool() {
    folder_.write("schemas/common/1.0.0", "type: object\nproperties: {x: {type: string}}\n");
    folder_.write("schemas/a/1.0.0.yaml", "title: a\n$id: /a/1.0.0\nallOf: [{$ref: /common/1.0.0}]\n");
    folder_.write("config.yaml", "schema_base_uris: [" + folder_.path() + "/schemas]\nschema_file_extension: .yaml\n");
    folder_.write("schemas/common/1.0.0.yaml", "type: object\nproperties: {x: {type: string}}\n");
  }

  TemporaryFolder folder_;
};

const json kWhole = json::parse(
    R"({"title": "a", "$id": "/a/1.0.0", "allOf": [{"type": "object", "properties": {"x": {"type": "string"}}}]})");

TEST_F(SchemaTool, ShowsASchemaOfARepositoryWithItsReferencesReplaced) {
  const GateRun run = run_gate({"schema", "show", "/a/1.0.0.yaml", folder_.path() + "/schemas"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(json::parse(run.output), kWhole);
}

TEST_F(SchemaTool, ShowsASchemaOfTheConfigsRepositories) {
  const GateRun run = run_gate({"schema", "show", "/a/1.0.0", "-c", folder_.path() + "/config.yaml"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(json::parse(run.output), kWhole);
}

TEST_F(SchemaTool, SaysWhatItExpectedOfASchema) {
  const GateRun none = run_gate({"schema", "show", "/none/1.0.0", folder_.path() + "/schemas"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.output, HasSubstr("'/none/1.0.0': expected the path of a schema, such as /test/event/1.0.0, in " +
                                     folder_.path() + "/schemas"));
  folder_.write("schemas/bad/1.0.0", "type: nonsense\n");
  const GateRun bad = run_gate({"schema", "show", "/bad/1.0.0", folder_.path() + "/schemas"});
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.output, HasSubstr("'/bad/1.0.0': at #/type: expected array, boolean"));
  const GateRun absolute = run_gate({"schema", "show", "http://host/a/1.0.0", folder_.path() + "/schemas"});
  EXPECT_EQ(absolute.status, 1);
  EXPECT_THAT(absolute.output, HasSubstr("allow_absolute_schema_uris"));
}

TEST_F(SchemaTool, WritesTheNewestSchemasAsTypescript) {
  const std::string order = "title: shop/order\n$schema: 'https://json-schema.org/draft-07/schema#'\ntype: object\n";
  folder_.write("shop/fragment/common/1.0.0.yaml", "title: fragment/common\n$id: /fragment/common/1.0.0\n");
  folder_.write("shop/shop/order/1.0.0.yaml", order + "$id: /shop/order/1.0.0\nproperties: {old: {type: string}}\n");
  folder_.write("shop/shop/order/1.10.0.yaml",
                order +
                    "$id: /shop/order/1.10.0\nproperties: {total: {type: number}, meta: {type: object}}\n"
                    "examples: [{meta: {stream: shop.example}}]\n");
  const std::string streams = folder_.write("streams.yaml",
                                            "default:\n  shop.order: {schema_title: shop/order}\n"
                                            "  /^shop\\..+/: {schema_title: shop/order}\n"
                                            "  other: {schema_title: not/here}\n");
  const std::string types =
      "// Made by `eventgate schema types`. Do not edit it: make it again.\n\n"
      "export interface ShopOrder {\n  total?: number;\n  meta?: { [key: string]: unknown };\n"
      "  $schema: '/shop/order/1.10.0';\n}\n\n"
      "/** The newest version of each schema, by its title. */\n"
      "export interface Schemas {\n  'shop/order': ShopOrder;\n}\n\n"
      "/** The events of each stream: createClient<Streams>(...). */\n"
      "export interface Streams {\n";
  const GateRun run = run_gate({"schema", "types", folder_.path() + "/shop", "--streams", streams});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, types + "  'shop.order': ShopOrder;\n}\n");
  EXPECT_EQ(run_gate({"schema", "types", folder_.path() + "/shop"}).output,
            types + "  'shop.example': ShopOrder;\n}\n");
  const GateRun none = run_gate({"schema", "types", folder_.path() + "/none"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.output, HasSubstr("expected the folder of a schema repository"));
  const GateRun bad = run_gate({"schema", "types", folder_.path() + "/shop", "--streams", folder_.path() + "/no.yaml"});
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.output, HasSubstr("no.yaml"));
}

TEST_F(SchemaTool, FindsNothingWrongWithTheShippedSchemas) {
  const GateRun run = run_gate({"schema", "test", "schemas"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.output, "no problems\n");
}

TEST_F(SchemaTool, PrintsEachProblemOfARepositoryOnALine) {
  folder_.write("schemas/b/1.0.0.yaml", "title: \"b\\e[31m\"\n$id: /b/1.0.0\ntype: string\nexamples: [5]\n");
  folder_.write("schemas/common/1.0.0.yaml", "title: common\n$id: /common/1.0.0\ntype: object\n");
  folder_.write("schemas/common/1.0.0", "title: common\n$id: /common/1.0.0\ntype: object\n");
  const GateRun run = run_gate({"schema", "test", folder_.path() + "/schemas"});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.output, folder_.path() +
                            "/schemas/b/1.0.0.yaml:1: /title: expected the title b, found 'b\\u001b[31m'\n" +
                            folder_.path() + "/schemas/b/1.0.0.yaml:4: /examples/0: '' should be string\n");
  EXPECT_EQ(run_gate({"schema", "test", "/no/such/folder"}).output,
            "eventgate: '/no/such/folder': expected the folder of a schema repository\n");
}

}  // namespace
}  // namespace eventgate
