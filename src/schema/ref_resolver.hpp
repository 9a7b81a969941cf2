#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compile_error.hpp"
#include "eventgate/schema/member_index.hpp"
#include "eventgate/schema/schema_compiler.hpp"

// Resolves the references of a schema while it is compiled: which schema a `$ref` leads to, in which document, with
// which base URI. Reproduces the rules of AJV 6, which differ from the drafts in what they follow and where they stop.

namespace eventgate {

/// A schema document that was read, with the ids inside it.
struct ResolvedDocument {
  std::string path;  ///< The path or URI it was read from.
  std::string base;  ///< Its id, or else its path, without fragment.
  bool has_id = false;
  bool is_metaschema = false;  ///< It is the metaschema of a draft. AJV fills in no defaults of it.
  const nlohmann::ordered_json* root = nullptr;
  /// From the absolute id of a schema inside it to the keys that lead there.
  std::map<std::string, std::vector<std::string>, std::less<>> ids;
};

/// The schema that a reference leads to.
struct ResolvedSchema {
  const nlohmann::ordered_json* schema = nullptr;
  ResolvedDocument* document = nullptr;
  std::string base;   ///< The URI against which its own references are resolved.
  std::string where;  ///< Its place in messages: `/fragment/x/1.0.0#/definitions/a`; the root document has no path.
  bool never_inlined = false;  ///< AJV calls it as a function even if it has no `$ref` in it.
};

/// The place of a `$ref`.
struct RefPosition {
  ResolvedDocument* document = nullptr;
  std::string base;     ///< The URI against which the reference is resolved.
  std::string where;    ///< The place, in messages, of the RefTarget that contains it.
  std::string pointer;  ///< JSON pointer from there to the `$ref`.

  /// Throws CompileError: the place, then `reason`.
  [[noreturn]] void fail(const std::string& reason) const { throw CompileError(where + pointer + " " + reason); }
};

/// Limits the bytes of JSON pointers and ids that a compilation keeps.
class TextBudget {
 public:
  explicit TextBudget(std::size_t max_size) : max_size_(max_size) {}
  /// Counts `size` bytes. Throws CompileError, which names `where`, if the limit is exceeded.
  void add(std::size_t size, const std::string& where);

 private:
  const std::size_t max_size_;
  std::size_t size_ = 0;
};

/// Reads and keeps the documents of one compilation and resolves references in them.
///
/// Use on one thread. The arguments of the constructor must outlive this. All functions throw CompileError.
class RefResolver {
 public:
  RefResolver(const RefReader& refs, const CompilerLimits& limits, TextBudget& texts)
      : refs_(refs), limits_(limits), texts_(texts) {}

  /// Checks depth, `$schema` and ids of the document at `path` and keeps it. `root` must outlive this. The first
  /// document added is the one that is compiled; messages name its places without a path. The reference is valid as
  /// long as this.
  ResolvedDocument& add_document(const std::string& path, const nlohmann::ordered_json& root);

  ResolvedSchema root_of(ResolvedDocument& document) const;
  /// Returns the schema that the `$ref` at `from` leads to, and reads its document if necessary.
  ResolvedSchema resolve(const std::string& reference, const RefPosition& from);

  /// Returns the id of `schema` (`$id`, or `id` of draft 04), or nullopt. `where` names the schema in messages.
  std::optional<std::string> id_of(const nlohmann::ordered_json& schema, const std::string& where);
  /// Returns `id` resolved against `base`.
  std::string resolve_id(const std::string& base, const std::string& id, const std::string& where) const;

 private:
  void add_ids(ResolvedDocument& document, const nlohmann::ordered_json& schema, const std::string& base,
               const std::string& where, std::vector<std::string>& keys);
  ResolvedDocument& load(const std::string& path, const RefPosition& from);
  /// `chain` counts the references that were followed to get here. Returns nullopt if there is no schema.
  std::optional<ResolvedSchema> resolve_full(ResolvedDocument& document, const std::string& full,
                                             const RefPosition& from, std::size_t chain);
  std::optional<ResolvedSchema> follow(ResolvedSchema place, const std::vector<std::string>& keys,
                                       const RefPosition& from, std::size_t chain);
  static std::vector<std::string> pointer_keys(std::string_view fragment, const RefPosition& from);
  /// Returns the member or item named `key`, or null.
  const nlohmann::ordered_json* find_child(const nlohmann::ordered_json& value, const std::string& key);

  const RefReader& refs_;
  const CompilerLimits& limits_;
  TextBudget& texts_;
  std::vector<std::unique_ptr<ResolvedDocument>> documents_;
  MemberIndex members_;
};

}  // namespace eventgate
