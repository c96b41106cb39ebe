#include "corpus/crawl.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/process.h"
#include "base/time.h"
#include "corpus/crates_index.h"
#include "corpus/raw_store.h"
#include "formats/manifest.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr char kStage[] = "crawl";

std::string_view FileName(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

// Where a source's archives lie on this machine, with what is known of them.
struct Fetched {
  std::map<std::string, fs::path> archives;  // prefix inside the store ("" or "name-1.0/") -> file
  std::map<std::string, std::string> notes;
  std::map<std::string, std::string> inputs;
};

class SourceCrawler {
 public:
  SourceCrawler(const CrawlManifest& manifest, const CrawlSource& source, const fs::path& work)
      : manifest_(manifest), source_(source), store_(work / "archives"), target_(work / "raw" / source.name) {}

  // Brings the archives in, or finds out that nothing is needed.
  Result<Fetched> Fetch() {
    Fetched fetched;
    if (source_.kind == "archive") {
      fs::path archive = source_.path;
      if (archive.empty()) {
        PINTLE_ASSIGN(archive, FetchToStore(source_.url, source_.sha256, store_, manifest_.network));
      }
      PINTLE_ASSIGN(const std::string sha256, Sha256HexOfFile(archive));
      if (!source_.sha256.empty() && sha256 != source_.sha256) {
        return ValidationError("SHA-256 is " + sha256 + ", pinned is " + source_.sha256, archive.string());
      }
      fetched.archives[""] = archive;
      fetched.inputs["archive"] = sha256;
    } else if (source_.kind == "git") {
      PINTLE_ASSIGN(fetched.archives[""], FetchGit());
      fetched.inputs["commit"] = source_.commit;
    } else if (source_.kind == "debian") {
      PINTLE_ASSIGN(fetched.archives[""], FetchDebian(fetched));
      PINTLE_ASSIGN(fetched.inputs["archive"], Sha256HexOfFile(fetched.archives[""]));
    } else if (source_.kind == "crates") {
      for (const std::string& wanted : source_.crates) {
        PINTLE_ASSIGN(const CrateRelease crate, FindCrate(source_.index, wanted, manifest_.network));
        PINTLE_ASSIGN(const fs::path archive, FetchToStore({crate.url}, crate.sha256, store_, manifest_.network));
        fetched.archives[crate.name + "-" + crate.version + "/"] = archive;
        fetched.inputs[crate.name + "-" + crate.version] = crate.sha256;
      }
    }
    return fetched;
  }

  Result<CrawledSource> Store(const Fetched& fetched) {
    CrawledSource done{source_.name, source_.kind, "", "new", 0, 0};
    const std::string config_hash = source_.Hash();
    if (source_.kind != "directory" && UpToDate(target_, kStage, config_hash, fetched.inputs)) {
      PINTLE_ASSIGN(const Manifest old, ReadManifest(target_));
      done.id = old.Id();
      done.state = "unchanged";
      done.files = old.counts.at("files");
      done.bytes = old.counts.at("bytes");
      return done;
    }
    PINTLE_ASSIGN(StageOutput output, StageOutput::Create(target_));
    PINTLE_ASSIGN(RawStoreWriter writer, RawStoreWriter::Create(output.folder()));
    if (source_.kind == "directory") {
      PINTLE_RETURN_IF_ERROR(AddFolder(source_.path, writer));
    }
    for (const auto& [prefix, archive] : fetched.archives) {
      LogInfo("crawl", fmt::format("{}: unpacking {}", source_.name, archive.filename().string()));
      ArchiveVisitor visitor;
      visitor.wanted = [&](std::string_view path) {
        // A package's documentation lies outside the folder of its source.
        if (source_.kind == "debian" && path.starts_with("usr/share/doc/")) return false;
        return WantedRawPath(path) && Chosen(path);
      };
      visitor.file = [&, p = prefix](const std::string& path, std::string_view bytes) {
        return writer.Add(p + path, bytes);
      };
      PINTLE_RETURN_IF_ERROR(ReadArchive(archive, manifest_.limits, visitor));
    }
    if (source_.kind != "directory" && source_.kind != "crates")
      writer.StripCommonFolder(source_.kind == "debian" ? 16 : 1);
    PINTLE_RETURN_IF_ERROR(writer.Finish());
    if (writer.file_count() == 0) {
      return ValidationError("no Rust file was found", source_.path.empty() ? source_.name : source_.path);
    }
    Manifest manifest;
    manifest.stage = kStage;
    manifest.config_hash = config_hash;
    manifest.inputs = fetched.inputs;
    manifest.counts = {{"files", static_cast<int64_t>(writer.file_count())},
                       {"bytes", static_cast<int64_t>(writer.pack_size())}};
    manifest.notes = fetched.notes;
    manifest.notes["name"] = source_.name;
    manifest.notes["kind"] = source_.kind;
    manifest.notes["licence"] = source_.licence;
    if (!source_.version.empty()) manifest.notes["version"] = source_.version;
    if (!source_.url.empty()) manifest.notes["url"] = source_.url.front();
    done.files = manifest.counts["files"];
    done.bytes = manifest.counts["bytes"];
    const auto before = ReadManifest(target_);
    PINTLE_ASSIGN(done.id, output.Commit(std::move(manifest)));
    if (before.ok() && before->Id() == done.id) done.state = "unchanged";
    return done;
  }

 private:
  [[nodiscard]] bool Chosen(std::string_view path) const {
    // Archives carry a top folder that the store strips: a prefix may stand behind it.
    const size_t slash = path.find('/');
    const std::string_view below = slash == std::string_view::npos ? path : path.substr(slash + 1);
    const auto begins = [&](const std::string& prefix) {
      return path.starts_with(prefix) || below.starts_with(prefix);
    };
    const auto listed = [&](const std::vector<std::string>& list) {
      return std::any_of(list.begin(), list.end(), begins);
    };
    return (source_.allow.empty() || listed(source_.allow)) && !listed(source_.deny);
  }

  Status AddFolder(const fs::path& root, RawStoreWriter& writer) {
    std::error_code code;
    if (!fs::is_directory(root, code)) return RuntimeError("not a folder", root.string());
    std::vector<std::string> paths;
    auto it = fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, code);
    for (; !code && it != fs::end(it); it.increment(code)) {
      const auto name = it->path().filename().string();
      if (it->is_symlink(code)) {
        it.disable_recursion_pending();
        continue;
      }
      if (it->is_directory(code) && (name == ".git" || name == "target" || name == "node_modules")) {
        it.disable_recursion_pending();
        continue;
      }
      if (!it->is_regular_file(code)) continue;
      const std::string relative = it->path().lexically_relative(root).generic_string();
      if (WantedRawPath(relative) && Chosen(relative)) paths.push_back(relative);
    }
    if (code) return RuntimeError("cannot list the folder: " + code.message(), root.string());
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
      if (Interrupted()) return RuntimeError("interrupted", root.string());
      if (auto clean = CleanArchivePath(path, manifest_.limits); !clean.ok()) {
        LogWarning("crawl", fmt::format("{}: left out: {}", path, clean.error().what));
        continue;
      }
      PINTLE_ASSIGN(const std::string bytes,
                    ReadFile(root / path, static_cast<uint64_t>(manifest_.limits.max_entry_bytes)));
      PINTLE_RETURN_IF_ERROR(writer.Add(path, bytes));
    }
    return {};
  }

  // The tree of exactly the pinned commit, as a tar in the archive store. git checks every object it receives by hash.
  Result<fs::path> FetchGit() {
    const fs::path tar = store_ / ("git-" + source_.commit + ".tar");
    std::error_code code;
    if (fs::exists(tar, code)) return tar;
    PINTLE_RETURN_IF_ERROR(MakeFolder(store_));
    const TemporaryFolder folder;
    ProcessOptions options;
    options.folder = folder.path();
    options.timeout_seconds = 1800;
    options.environment = {"GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
                           "GIT_ALLOW_PROTOCOL=file:http:https:ssh", "LC_ALL=C"};
    const std::string& url = source_.url.front();
    const auto git = [&](std::vector<std::string> words) -> Result<std::string> {
      words.insert(words.begin(), {"git", "-c", "core.hooksPath=/dev/null", "-c", "fetch.fsckObjects=true"});
      PINTLE_ASSIGN(ProcessResult result, RunProcess(words, options));
      if (result.exit_status != 0) {
        return RuntimeError("git: " + result.err.substr(0, 500), url, "check the address and the commit");
      }
      while (!result.out.empty() && result.out.back() == '\n') result.out.pop_back();
      return result.out;
    };
    PINTLE_RETURN_IF_ERROR(git({"init", "-q", "--bare", "."}));
    // Not every server gives out a commit by its name; the whole history always holds it.
    if (!git({"fetch", "-q", "--depth", "1", "--", url, source_.commit}).ok()) {
      PINTLE_RETURN_IF_ERROR(git({"fetch", "-q", "--", url, "+refs/*:refs/crawl/*"}));
    }
    PINTLE_ASSIGN(const std::string found, git({"rev-parse", "--verify", "-q", source_.commit + "^{commit}"}));
    if (found != source_.commit) {
      return ValidationError("the repository has " + found + " where " + source_.commit + " is pinned", url);
    }
    const fs::path fresh = folder.path() / "tree.tar";
    PINTLE_RETURN_IF_ERROR(git({"archive", "--format=tar", "--prefix=tree/", "-o", fresh.string(), source_.commit}));
    PINTLE_ASSIGN(const std::string bytes, ReadFile(fresh, uint64_t{8} << 30));
    PINTLE_RETURN_IF_ERROR(WriteFileAtomic(tar, bytes));
    return tar;
  }

  // The .deb of whatever version the archive has, by the system's own client. Without a network, what is there is kept.
  Result<fs::path> FetchDebian(Fetched& fetched) {
    if (!source_.path.empty()) {
      fetched.notes["package"] = fs::path(source_.path).filename().string();
      return fs::path(source_.path);
    }
    PINTLE_RETURN_IF_ERROR(MakeFolder(store_));
    const TemporaryFolder folder;
    ProcessOptions options;
    options.folder = folder.path();
    options.environment = {"LC_ALL=C"};
    PINTLE_ASSIGN(const ProcessResult uris,
                  RunProcess({"apt-get", "download", "--print-uris", source_.package}, options));
    // 'URI' FILE SIZE SHA256:HEX
    const size_t mark = uris.out.find("SHA256:");
    const std::string sha256 = mark == std::string::npos ? "" : uris.out.substr(mark + 7, 64);
    const size_t name_begin = uris.out.find("' ");
    const std::string file_name =
        name_begin == std::string::npos
            ? ""
            : uris.out.substr(name_begin + 2, uris.out.find(' ', name_begin + 2) - name_begin - 2);
    if (uris.exit_status != 0 || sha256.size() != 64) {
      return RuntimeError("the package " + source_.package + " is not in this machine's package lists", "apt-get",
                          "run `apt-get update`; if it has left the archive, take another source, such as "
                          "configs/m31r/corpus-debian.toml");
    }
    fetched.notes["package"] = file_name;
    const fs::path target = store_ / (sha256 + ".deb");
    std::error_code code;
    if (fs::exists(target, code)) return target;
    LogInfo(kStage, fmt::format("{}: apt-get downloads {}", source_.name, file_name));
    PINTLE_ASSIGN(const ProcessResult download, RunProcess({"apt-get", "download", "-q", source_.package}, options));
    if (download.exit_status != 0) {
      return RuntimeError("apt-get download: " + download.err.substr(0, 500), source_.package, "check the network");
    }
    for (const auto& entry : fs::directory_iterator(folder.path(), code)) {
      if (entry.path().extension() != ".deb") continue;
      PINTLE_ASSIGN(const std::string found, Sha256HexOfFile(entry.path()));
      if (found != sha256)
        return ValidationError("SHA-256 is " + found + ", the package list says " + sha256, entry.path().string());
      PINTLE_ASSIGN(const std::string bytes, ReadFile(entry.path()));
      PINTLE_RETURN_IF_ERROR(WriteFileAtomic(target, bytes));
      return target;
    }
    return RuntimeError("apt-get download left no .deb", source_.package);
  }

  const CrawlManifest& manifest_;
  const CrawlSource& source_;
  fs::path store_, target_;
};

}  // namespace

bool WantedRawPath(std::string_view path) {
  const std::string_view name = FileName(path);
  if (name.ends_with(".rs") || name == "Cargo.toml" || name == "REUSE.toml") return true;
  if (path.find(".reuse/dep5") != std::string_view::npos) return true;
  for (const std::string_view start :
       {"LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "copyright", "UNLICENSE", "license", "README", "readme"}) {
    if (name.starts_with(start) && !name.ends_with(".html") && !name.ends_with(".svg")) return true;
  }
  return false;
}

Result<std::vector<CrawledSource>> Crawl(const CrawlManifest& manifest, const CrawlOptions& options) {
  std::vector<CrawledSource> all;
  const fs::path raw = options.work / "raw";
  if (!options.dry_run) PINTLE_RETURN_IF_ERROR(MakeFolder(raw));
  std::map<std::map<std::string, std::string>, std::string> seen;  // inputs -> the source that brought them first
  for (const CrawlSource& source : manifest.sources) {
    if (options.dry_run) {
      all.push_back({source.name, source.kind, source.Hash(), "planned", 0, 0});
      continue;
    }
    SourceCrawler crawler(manifest, source, options.work);
    const auto run = [&]() -> Result<CrawledSource> {
      PINTLE_ASSIGN(const Fetched fetched, crawler.Fetch());
      if (!fetched.inputs.empty()) {
        const auto [first, fresh] = seen.emplace(fetched.inputs, source.name);
        if (!fresh) return CrawledSource{source.name, source.kind, "", "duplicate of " + first->second, 0, 0};
      }
      return crawler.Store(fetched);
    };
    Result<CrawledSource> done = run();
    if (!done.ok() && source.optional && !Interrupted()) {
      LogWarning("crawl", fmt::format("{}: left out: {}", source.name, done.error().Message()));
      done = CrawledSource{source.name, source.kind, "", "left out: " + done.error().what, 0, 0};
    }
    if (!done.ok()) return std::move(done).error();
    LogInfo("crawl", fmt::format("{}: {}, {} files, {}", done->name, done->state, done->files,
                                 HumanBytes(static_cast<double>(done->bytes))));
    all.push_back(std::move(done).value());
  }
  if (options.dry_run) return all;
  json::array list;
  for (const auto& source : all) {
    if (source.id.empty()) continue;
    list.push_back(json::object{{"name", source.name},
                                {"rank", static_cast<int64_t>(list.size())},
                                {"id", source.id},
                                {"kind", source.kind},
                                {"files", source.files},
                                {"bytes", source.bytes}});
  }
  if (list.empty()) return RuntimeError("no source could be taken in", raw.string());
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(raw / "sources.json", DumpJson(json::object{{"sources", list}}, 1) + "\n"));
  return all;
}

}  // namespace pintle
