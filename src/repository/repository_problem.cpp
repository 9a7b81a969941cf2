#include "eventgate/repository/repository_problem.hpp"

#include "eventgate/json/printable.hpp"

namespace eventgate {

std::string RepositoryProblem::text() const {
  std::string all = file;
  if (line > 0) all += ':' + std::to_string(line);
  if (!all.empty()) all += ": ";
  if (!pointer.empty()) all += pointer + ": ";
  return printable(all + message);
}

}  // namespace eventgate
