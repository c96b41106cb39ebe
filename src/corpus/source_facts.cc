#include "corpus/source_facts.h"

#include <algorithm>

#include "corpus/licence_text.h"

namespace pintle {
namespace {

std::string_view ParentOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view NameOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string Join(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : std::string(folder) + "/" + std::string(name);
}

// "a/b" + "../c" -> "a/c"; false if it leads out of the source.
bool Resolve(std::string_view folder, std::string_view relative, std::string& out) {
  std::vector<std::string_view> parts;
  const auto push = [&](std::string_view path) {
    while (!path.empty()) {
      const size_t slash = path.find('/');
      const std::string_view part = path.substr(0, slash);
      if (part == "..") {
        if (parts.empty()) return false;
        parts.pop_back();
      } else if (!part.empty() && part != ".") {
        parts.push_back(part);
      }
      if (slash == std::string_view::npos) break;
      path = path.substr(slash + 1);
    }
    return true;
  };
  if (relative.starts_with('/') || !push(folder) || !push(relative)) return false;
  out.clear();
  for (const auto part : parts) out = Join(out, part);
  return true;
}

// A folder in which other people's work lies, each piece under its own licence.
bool IsForeignFolder(std::string_view folder) {
  const std::string_view name = NameOf(folder);
  return name == "vendor" || name == "third_party" || name == "third-party";
}

}  // namespace

bool SourceFacts::Wants(std::string_view path) {
  const std::string_view name = NameOf(path);
  return name == "Cargo.toml" || name == "REUSE.toml" || path == ".reuse/dep5" || path.ends_with("/.reuse/dep5") ||
         IsLicenceFileName(name);
}

void SourceFacts::Add(const std::string& path, std::string_view text) {
  const std::string_view name = NameOf(path);
  if (name == "Cargo.toml") {
    auto manifest = ParseCargoManifest(text, path);
    if (!manifest.ok()) return;
    Folder& folder = folders_[std::string(ParentOf(path))];
    folder.has_cargo = true;
    folder.cargo = *std::move(manifest);
  } else if (name == "REUSE.toml" || name == "dep5") {
    const std::string_view parent = name == "dep5" ? ParentOf(ParentOf(path)) : ParentOf(path);
    Folder& folder = folders_[std::string(parent)];
    folder.reuse = name == "dep5" ? ParseReuseDep5(text) : ParseReuseToml(text);
    folder.reuse_from = path;
  } else {
    folders_[std::string(ParentOf(path))].texts[std::string(name)] = ClassifyLicenceText(text);
  }
}

void SourceFacts::Finish(std::string fallback) {
  fallback_ = std::move(fallback);
  // The root of the tree: the shallowest folder with a Cargo.toml (packages of distributions put a few folders above
  // it).
  size_t best = ~size_t{0};
  for (const auto& [folder, facts] : folders_) {
    if (!facts.has_cargo) continue;
    const auto depth = folder.empty() ? 0 : static_cast<size_t>(std::count(folder.begin(), folder.end(), '/')) + 1;
    if (depth < best || (depth == best && folder < root_)) {
      best = depth;
      root_ = folder;
    }
  }
}

const SourceFacts::Folder* SourceFacts::Find(std::string_view folder) const {
  const auto found = folders_.find(std::string(folder));
  return found == folders_.end() ? nullptr : &found->second;
}

const SourceFacts::Folder* SourceFacts::WorkspaceOf(std::string_view folder, const CargoManifest& manifest,
                                                    std::string& where) const {
  if (!manifest.workspace_folder.empty()) {
    if (!Resolve(folder, manifest.workspace_folder, where)) return nullptr;
    const Folder* root = Find(where);
    return root != nullptr && root->cargo.has_workspace ? root : nullptr;
  }
  for (std::string_view at = folder;; at = ParentOf(at)) {
    const Folder* facts = Find(at);
    if (facts != nullptr && facts->cargo.has_workspace) {
      where = at;
      return facts;
    }
    if (at.empty()) return nullptr;
  }
}

bool SourceFacts::HasCargo(std::string_view folder) const {
  const Folder* facts = Find(folder);
  return facts != nullptr && facts->has_cargo;
}

LicenceFinding SourceFacts::LicenceFile(std::string_view folder, const std::string& file) const {
  std::string path;
  if (!Resolve(folder, file, path)) return {"", file};
  const Folder* facts = Find(ParentOf(path));
  if (facts == nullptr) return {"", path};
  const auto text = facts->texts.find(std::string(NameOf(path)));
  return {text == facts->texts.end() ? "" : text->second, path};
}

LicenceFinding SourceFacts::CargoLicence(std::string_view folder, const Folder& facts) const {
  const CargoManifest& cargo = facts.cargo;
  const std::string from = Join(folder, "Cargo.toml");
  if (!cargo.licence.empty()) return {cargo.licence, from};
  if (!cargo.licence_file.empty()) return LicenceFile(folder, cargo.licence_file);
  if (cargo.licence_inherited || cargo.licence_file_inherited) {
    std::string where;
    const Folder* root = WorkspaceOf(folder, cargo, where);
    if (root == nullptr) return {};
    if (cargo.licence_inherited) return {root->cargo.workspace_licence, Join(where, "Cargo.toml")};
    return LicenceFile(where, root->cargo.workspace_licence_file);
  }
  return {};
}

LicenceFinding SourceFacts::TextFinding(std::string_view folder, const Folder& facts) const {
  // Texts side by side (LICENSE-MIT, LICENSE-APACHE) are alternatives by the custom of crates, unless one is not
  // recognised or copyleft; a COPYRIGHT file counts only where it stands alone.
  std::vector<std::pair<std::string, std::string>> parts;
  for (const bool copyright : {false, true}) {
    for (const auto& [name, expression] : facts.texts) {
      const bool is_copyright =
          name.starts_with('C') && (name.starts_with("COPYRIGHT") || name.starts_with("Copyright"));
      if (is_copyright == copyright) parts.emplace_back(name, expression);
    }
    if (!parts.empty()) break;
  }
  if (parts.empty()) return {};
  static const std::vector<std::string> kAlternatives = {
      "MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unlicense", "CC0-1.0", "Zlib", "BSL-1.0", "0BSD"};
  const bool choice = std::all_of(parts.begin(), parts.end(), [](const auto& part) {
    return std::find(kAlternatives.begin(), kAlternatives.end(), part.second) != kAlternatives.end();
  });
  LicenceFinding finding;
  for (const auto& [name, expression] : parts) {
    if (!finding.from.empty()) finding.from += ", ";
    finding.from += Join(folder, name);
    if (expression.empty()) continue;
    if (!finding.expression.empty()) finding.expression += choice ? " OR " : " AND ";
    finding.expression += choice || parts.size() == 1 ? expression : "(" + expression + ")";
  }
  return finding;
}

LicenceFinding SourceFacts::Licence(std::string_view path) const {
  bool in_package = false;
  for (std::string_view folder = ParentOf(path);; folder = ParentOf(folder)) {
    if (const Folder* facts = Find(folder)) {
      if (facts->cargo.has_package) {
        in_package = true;
        if (auto finding = CargoLicence(folder, *facts); !finding.from.empty()) return finding;
      }
      if (auto finding = TextFinding(folder, *facts); !finding.from.empty()) return finding;
      const std::string_view inside = folder.empty() ? path : path.substr(folder.size() + 1);
      // The last annotation that matches is the one that counts.
      for (auto rule = facts->reuse.rbegin(); rule != facts->reuse.rend(); ++rule) {
        if (std::any_of(rule->patterns.begin(), rule->patterns.end(),
                        [&](const std::string& pattern) { return ReuseMatch(pattern, inside); })) {
          return {rule->licence, facts->reuse_from};
        }
      }
    }
    if (in_package && IsForeignFolder(folder)) return {};
    if (folder.empty()) break;
  }
  if (fallback_.empty()) return {};
  return {fallback_, "source"};
}

CrateFact SourceFacts::Crate(std::string_view path) const {
  for (std::string_view folder = ParentOf(path);; folder = ParentOf(folder)) {
    const Folder* facts = Find(folder);
    if (facts != nullptr && facts->cargo.has_package && !facts->cargo.name.empty()) {
      CrateFact fact{facts->cargo.name, facts->cargo.version,
                     std::string(folder.empty() ? path : path.substr(folder.size() + 1))};
      std::string where;
      if (facts->cargo.version_inherited) {
        if (const Folder* root = WorkspaceOf(folder, facts->cargo, where)) fact.version = root->cargo.workspace_version;
      }
      return fact;
    }
    if (folder.empty()) break;
  }
  std::string_view inside = path;
  if (!root_.empty() && path.starts_with(root_ + "/")) inside = path.substr(root_.size() + 1);
  const size_t first = inside.find('/');
  const size_t second = first == std::string_view::npos ? first : inside.find('/', first + 1);
  const size_t cut = second != std::string_view::npos ? second : first;
  if (cut == std::string_view::npos) return {"", "", std::string(inside)};
  return {std::string(inside.substr(0, cut)), "", std::string(inside.substr(cut + 1))};
}

}  // namespace pintle
