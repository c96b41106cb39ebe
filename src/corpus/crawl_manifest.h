// The crawl manifest: a TOML file that names every source of a corpus, with hashes and licences.
//
//   [[source]]
//   name = "rustc-web"            # the folder below raw/
//   kind = "archive"              # archive | directory | git | crates | debian
//   url = ["http://...", ...]     # archive: tried in order; git: one address
//   path = "..."                  # archive or directory on this machine; beside url or package: a copy of that archive
//   sha256 = "..."                # archive: pinned content
//   commit = "..."                # git: 40 hex digits
//   crates = ["nom@7.1.3", ...]   # crates: name@version, or the name alone = newest that is not yanked
//   index = "https://..."         # crates: base of the sparse index
//   package = "rust-web-src"      # debian: the binary package whose .deb apt-get downloads (hash recorded, not pinned)
//   licence = "MIT OR Apache-2.0" # where neither the file nor its crate says anything
//   version = "1.85.0"
//   allow = ["library"]           # only paths that begin so are taken in; without it all
//   deny = ["vendor/x"]           # and of them none that begin so
//   optional = true               # report and go on if it cannot be had
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "corpus/archive.h"
#include "corpus/fetch.h"

namespace pintle {

/// One [[source]]; the fields are explained above.
struct CrawlSource {
  std::string name, kind;
  std::vector<std::string> url;
  std::string path, sha256, commit, index, package, licence, version;
  std::vector<std::string> crates, allow, deny;
  bool optional = false;

  /// SHA-256 over the settings that decide the content.
  [[nodiscard]] std::string Hash() const;
};

/// All sources and the limits they are read under.
struct CrawlManifest {
  std::vector<CrawlSource> sources;  ///< in order: the rank of a source is its place
  ArchiveLimits limits;              ///< [limits]
  FetchOptions network;              ///< [network]
};

/// An unknown key, a kind's missing field, a bad or repeated name is a config error with file and line.
Result<CrawlManifest> ParseCrawlManifest(std::string_view toml, const std::string& where);
/// A .toml manifest, or an archive or a folder of Rust code, which makes a manifest of one source.
Result<CrawlManifest> OpenCrawlSource(const std::filesystem::path& path);

}  // namespace pintle
