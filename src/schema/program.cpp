#include "program.hpp"

#include <utility>

#include "compile_error.hpp"

namespace eventgate {

std::unique_ptr<Constant> make_constant(std::string json, const std::string& where) {
  auto made = std::make_unique<Constant>();
  made->size = json.size();
  made->text = std::move(json);
  made->text.append(kJsonPadding, '\0');
  if (const auto error = parse_json(made->json(), made->nodes))
    throw CompileError(where + " has a value that is no JSON: expected " + error->expected);
  return made;
}

}  // namespace eventgate
