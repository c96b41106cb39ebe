// The outline's entry points: a parse that records, the crates a file names, the end of a body.
#include "text/rust/outline.h"

#include <algorithm>
#include <array>

#include "text/rust/parser_impl.h"

namespace pintle::rust {

Outline OutlineRust(std::string_view source, const ParseOptions& options) {
  Outline outline;
  outline.report = Parser(source, options, &outline).Run();
  return outline;
}

std::vector<std::string> CrateRoots(const Outline& outline) {
  constexpr std::array<std::string_view, 6> kOwn = {"crate", "self", "super", "std", "core", "alloc"};
  std::vector<std::string> local;
  for (const Item& item : outline.items) {
    if (!item.name.empty() && item.kind != ItemKind::kImpl) local.push_back(item.name);
  }
  std::sort(local.begin(), local.end());
  std::vector<std::string> roots;
  const auto add = [&](std::string_view name) {
    if (name.substr(0, 2) == "r#") name.remove_prefix(2);
    if (name.empty() || name == "*" || std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end()) return;
    if (std::binary_search(local.begin(), local.end(), name)) return;
    roots.emplace_back(name);
  };
  for (const UseLeaf& use : outline.uses) {
    std::string_view path = use.path;
    if (path.substr(0, 2) == "::") path.remove_prefix(2);
    add(path.substr(0, path.find("::")));
  }
  for (const std::string& name : outline.extern_crates) add(name);
  std::sort(roots.begin(), roots.end());
  roots.erase(std::unique(roots.begin(), roots.end()), roots.end());
  return roots;
}

std::optional<uint32_t> ClosingBrace(std::string_view source, uint32_t open_brace) {
  if (open_brace >= source.size() || source[open_brace] != '{') return std::nullopt;
  std::vector<Token> tokens;
  LexRust(source.substr(open_brace), tokens);
  uint32_t depth = 0;
  for (const Token& token : tokens) {
    if (token.kind == TokenKind::kOpenBrace) ++depth;
    if (token.kind == TokenKind::kCloseBrace && --depth == 0) return open_brace + token.end;
  }
  return std::nullopt;
}

}  // namespace pintle::rust
