// A template as a tree: the text of Jinja that chat templates use. Whitespace is cut as the templates' publishers do
// (trim_blocks and lstrip_blocks on). Not here: inheritance, includes, call and filter blocks; running (interpreter.h).
// Source: the Jinja 3 template designer documentation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/jinja/value.h"

namespace pintle::jinja {

/// One node; kids are indices of Tree::nodes, -1 where a part is missing.
struct Node {
  enum class Kind : uint8_t {
    kBlock,     ///< kids, one after the other
    kOutput,    ///< {{ kids[0] }}
    kFor,       ///< names in kids[0], if kids[1]: kids[2], else kids[3]
    kIf,        ///< condition, block, condition, block, ..., [block]
    kSet,       ///< names = kids[0]; with `text`: names[0].text = kids[0]
    kSetBlock,  ///< names[0] = what kids[0] writes
    kMacro,     ///< text(names) with default values kids[i], body kids.back()
    kBreak,
    kContinue,
    kConstant,   ///< constant
    kName,       ///< text
    kList,       ///< kids
    kObject,     ///< key, value, key, value, ...
    kAttribute,  ///< kids[0].text
    kIndex,      ///< kids[0][kids[1]]
    kSlice,      ///< kids[0][kids[1]:kids[2]:kids[3]]
    kCall,       ///< kids[0](the rest; names[i - 1] of keyword arguments, else "")
    kFilter,     ///< kids[0] | text(the rest)
    kTest,       ///< kids[0] is text(the rest)
    kNot,
    kNegative,
    kBinary,       ///< kids[0] text kids[1]
    kConditional,  ///< kids[0] if kids[1] else kids[2]
  };
  Kind kind = Kind::kBlock;
  std::string text;
  Value constant;
  std::vector<int32_t> kids;
  std::vector<std::string> names;
};

/// A parsed template; nodes[root] is its block.
struct Tree {
  std::vector<Node> nodes;
  int32_t root = 0;
};

inline constexpr size_t kMaxTemplate = 256 << 10;  ///< bytes
inline constexpr int kMaxNesting = 40;             ///< of expressions and blocks

/// A template that is too long, too deep or not understood is a validation error with its line.
Result<Tree> Parse(std::string_view text);

}  // namespace pintle::jinja
