#pragma once

#include <boost/system/result.hpp>
#include <functional>
#include <set>
#include <string>

#include "js_value.hpp"

namespace eventgate {

/// Where a `$ref` is that cannot be replaced, and why.
struct RefProblem {
  std::string document;  ///< The URI of the document that has it.
  std::string pointer;   ///< Of the `$ref` in that document.
  std::string message;
};

/// Why there is no document: where it was looked for.
struct NoDocument {
  std::string reason;
};

/// Gives a fresh value of the document at a URI: an absolute path of the repositories, or http(s).
using DocumentReader = std::function<boost::system::result<JsValue, NoDocument>(const std::string& uri)>;

/// `root`, the document of `uri`, with each `$ref` replaced by what it leads to, as json-schema-ref-parser 7 does it:
/// in the place of any value, in examples, too; members beside it stay, before those of its target. What two `$ref`
/// lead to is the same object in both places. A `$ref` that leads nowhere or in a circle is a problem, and so is a
/// schema that comes to more than 500 levels or 4 MB.
boost::system::result<JsValue, RefProblem> replaced_refs(const std::string& uri, JsValue root,
                                                         const DocumentReader& reader);

/// The URI, without fragment, of each other document that a `$ref` in `value` (of the document `uri`) names.
std::set<std::string> referenced_documents(const std::string& uri, const JsValue& value);

}  // namespace eventgate
