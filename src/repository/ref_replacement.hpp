#pragma once

#include <boost/system/result.hpp>
#include <functional>
#include <set>
#include <string>

#include "js_value.hpp"

namespace eventgate {

/// A `$ref` that cannot be replaced, and the reason.
struct RefProblem {
  std::string document;  ///< The URI of the document that has it.
  std::string pointer;   ///< JSON pointer to the `$ref` in that document.
  std::string message;
};

/// The reason why a document was not found. It names the places.
struct NoDocument {
  std::string reason;
};

/// Returns a new value of the document at a URI, which is an absolute path of the repositories or an http(s) URI.
using DocumentReader = std::function<boost::system::result<JsValue, NoDocument>(const std::string& uri)>;

/// Replaces each `$ref` in `root`, the document of `uri`, by its target, as json-schema-ref-parser 7 does. A `$ref` may
/// stand anywhere, even in examples. Members beside it stay, and come before those of the target. If two `$ref`s have
/// one target, they share the object. Returns a problem for a `$ref` without a target or in a circle, and for a schema
/// of more than 500 levels or 4 MB.
boost::system::result<JsValue, RefProblem> replaced_refs(const std::string& uri, JsValue root,
                                                         const DocumentReader& reader);

/// Returns the URIs, without fragments, of the other documents that `value`, a part of the document `uri`, refers to.
std::set<std::string> referenced_documents(const std::string& uri, const JsValue& value);

}  // namespace eventgate
