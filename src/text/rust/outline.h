// The outline of a Rust file: functions, items, statements, what it uses and which files it declares.
// Fill-in-the-middle takes spans from it, the corpus orders a repository's files by it, the evaluation finds function
// bodies and trivial ones with it. It is recorded by the parser (parser.h) and is as good as the file is: in a damaged
// file what was recognised is there. What stands inside macro calls is not looked into.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/rust/lexer.h"
#include "text/rust/parser.h"

namespace pintle::rust {

enum class ItemKind : uint8_t {
  kFunction,
  kStruct,
  kEnum,
  kUnion,
  kTrait,
  kTraitAlias,
  kImpl,
  kTypeAlias,
  kConst,
  kStatic,
  kModule,
  kUse,
  kExternCrate,
  kExternBlock,
  kMacroDefinition,  ///< macro_rules! and macro
  kMacroCall,
  kGlobalAsm,
};

/// An item of any nesting: at the top, in a module, in an impl or trait, in a block.
struct Item {
  ItemKind kind = ItemKind::kFunction;
  std::string name;     ///< empty for impl, use, extern blocks and macro calls; impl: the last path segment of the type
  Span span;            ///< from the first attribute or doc comment to the closing brace or semicolon
  Span keyword;         ///< from the visibility or the first keyword on: the item without its attributes
  int32_t parent = -1;  ///< index of the item that holds it, -1 at the top
  uint32_t depth = 0;   ///< number of items around it
  bool is_public = false;  ///< any `pub`
};

/// One function of a file.
struct Function {
  std::string name;
  uint32_t item = 0;  ///< index into Outline::items
  Span signature;     ///< from visibility or qualifiers up to the body's brace or the semicolon, without either
  Span body;          ///< with its braces; empty (begin == end) where there is none
  Span doc;           ///< first to last doc comment before it; empty where there is none
  std::vector<std::string> parameters;  ///< names bound by the parameters' patterns, in order, self apart
  bool has_self = false;
  bool is_test = false;         ///< has an attribute whose path ends in `test`
  bool in_test_module = false;  ///< somewhere inside a module with #[cfg(test)]
  bool returns_value = false;   ///< has `->` with something else than `()` behind it
};

/// A leaf of a use tree: `use a::{b, c as d, e::*}` gives a::b, a::c, a::e::* . A leading `::` is kept.
struct UseLeaf {
  std::string path;
  std::string alias;  ///< empty without `as`
  Span span;          ///< the leaf's own last segment
};

/// A module declared without a body: the file name.rs or name/mod.rs beside this one.
struct ModuleFile {
  std::string name;
  std::string path_attribute;  ///< the text of #[path = "..."], empty without
};

/// What a file declares and uses.
struct Outline {
  ParseReport report;
  std::vector<Item> items;          ///< in the order of their begin
  std::vector<Function> functions;  ///< the same
  std::vector<UseLeaf> uses;
  std::vector<ModuleFile> module_files;
  std::vector<std::string> extern_crates;
  std::vector<Span> statements;  ///< of blocks, with their semicolon, in the order of their begin; nested ones too
};

/// Outline of a whole file.
Outline OutlineRust(std::string_view source, const ParseOptions& options = {});

/// First path segments that may name another crate (2018 and later: from `use a::..` and `extern crate a`), sorted,
/// without crate, self, super, std, core, alloc and names that the file itself declares as modules.
std::vector<std::string> CrateRoots(const Outline& outline);

/// What a function body does, for the share of trivial answers in the evaluation. The first that holds.
enum class BodyKind : uint8_t {
  kOrdinary,
  kEmpty,              ///< nothing, or `()` only
  kDiverges,           ///< its first statement never ends or always panics: todo!(), unimplemented!(), panic!(..),
                       ///< unreachable!(), loop {}, return of such, std::process::exit/abort
  kConstant,           ///< one literal, path to a constant, or constructor of such: 0, true, "", None, Vec::new(),
                       ///< Default::default()
  kIgnoresParameters,  ///< has parameters (or self) and names none of them
};

/// Classifies the function's body in `source`. A function without a body is kOrdinary.
BodyKind ClassifyBody(std::string_view source, const Function& function);

/// The offset behind the brace that closes the one at source[open_brace], or nothing while it is not closed yet (or
/// open_brace is no `{` token). Strings, chars and comments are understood: the stop criterion when a model writes a
/// body.
std::optional<uint32_t> ClosingBrace(std::string_view source, uint32_t open_brace);

}  // namespace pintle::rust
