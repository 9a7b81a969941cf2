#define VALIJSON_USE_EXCEPTIONS 1

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "bench.hpp"

namespace eventgate::bench {
namespace {

using Adapter = valijson::adapters::NlohmannJsonAdapter;

struct Prepared {
  explicit Prepared(const Subject& subject) : event(nlohmann::json::parse(subject.event)) {
    document = nlohmann::json::parse(read_schema(subject.schema_base + subject.schema_uri + ".yaml").dump());
    for (const char* name : {"$schema", "$id"}) document.erase(name);  // It would fetch them.
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(Adapter(document), schema);
  }

  nlohmann::json document;
  valijson::Schema schema;
  nlohmann::json event;
  valijson::Validator validator;
};

}  // namespace

Stage valijson_stage() {
  return {"validate-valijson", "valijson's validator, of the event already parsed",
          [one = std::make_shared<Prepared>(search_subject())](std::size_t n) {
            while (n-- > 0) {
              valijson::ValidationResults results;
              if (!one->validator.validate(one->schema, Adapter(one->event), &results))
                throw std::runtime_error("expected the event to be valid");
            }
          }};
}

}  // namespace eventgate::bench
