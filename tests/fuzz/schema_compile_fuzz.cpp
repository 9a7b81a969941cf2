// Any bytes as a schema document: what is read, checked and compiled is compiled the same again, errors say something,
// and what was compiled judges a few events without contradicting itself.

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/metaschema_check.hpp"
#include "eventgate/schema/schema_compiler.hpp"
#include "schema_round.hpp"

namespace {

using namespace eventgate;

constexpr std::string_view kEvents[] = {
    "{}",
    R"({"a":1,"b":"x","c":[1,2,{"a":null}],"$schema":"/a/1.0.0","meta":{"stream":"s","dt":"2020-02-28T10:20:30Z","id":""}})",
    "[[],{},0.5,\"\\u00e9\"]",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = parse_object_text(text);
  if (!document) {
    require(!document.error().message.empty(), "an error says what was expected");
    return 0;
  }
  const auto secure = check_schema(*document, false);
  const auto checked = check_schema(*document, true);
  require(!checked || secure, "what is no schema is no secure schema");
  const auto schema = compile_schema("/main/1.0.0", *document, fuzz::refs());
  const auto again = compile_schema("/main/1.0.0", *document, fuzz::refs());
  require(schema.has_value() == again.has_value(), "a document compiles or does not");
  if (!schema) {
    require(!schema.error().empty(), "an error says what was expected");
    require(schema.error() == again.error(), "the same document gives the same error");
    return 0;
  }
  // What is no schema may be compiled, but no gate uses it.
  if (checked) return 0;
  for (const std::string_view event : kEvents) fuzz::check_round(**schema, event);
  return 0;
}
