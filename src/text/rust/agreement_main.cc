// pintle_rust_agreement: compares our parser with rustc's own, file by file, and with mutated files, and measures its
// speed.
//   pintle_rust_agreement PATH... [--sample N] [--mutations N] [--seed N] [--edition E] [--cache FILE] [--keep FOLDER]
//   [--speed]
// PATH is a file or a folder searched for *.rs. rustc comes from $RUSTC or the PATH (>= 1.85) and reads each file from
// standard input, so that `mod name;` is not followed. Its verdicts go to the cache file, by SHA-256 of the text. A
// mutation deletes, doubles, swaps or inserts one token at a place drawn from (seed, number). Verdicts that differ are
// printed; the exit status is 4 if their share is above one in a thousand. Not part of the product: a measuring tool.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/rng.h"
#include "text/rust/parser.h"

namespace pintle::rust {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<fs::path> paths;
  size_t sample = 0;
  uint64_t mutations = 0;
  uint32_t seed = 0;
  int edition = 2021;
  std::string cache;
  std::string keep;
  bool speed = false;
};

// rustc as an oracle, with a file of verdicts so that a second run is fast.
class Oracle {
 public:
  Oracle(int edition, std::string cache) : edition_(edition), cache_(std::move(cache)) {
    const char* named = std::getenv("RUSTC");
    compiler_ = named != nullptr ? named : "rustc";
    // Behind a version manager's shim stands the compiler itself, which starts faster.
    if (FILE* pipe = popen((compiler_ + " --print sysroot 2>/dev/null").c_str(), "r"); pipe != nullptr) {
      char line[4096] = {};
      if (fgets(line, sizeof line, pipe) != nullptr) {
        std::string path = line;
        while (!path.empty() && path.back() == '\n') path.pop_back();
        if (fs::exists(path + "/bin/rustc")) compiler_ = path + "/bin/rustc";
      }
      pclose(pipe);
    }
    // The option's name since rustc 1.93 or so, and before.
    flag_ = Run("fn main() {}", "parse-crate-root-only") ? "parse-crate-root-only" : "parse-crate-only";
    usable_ = Run("fn main() {}", flag_) && !Run("fn main( {}", flag_);
    if (cache_.empty()) return;
    std::ifstream in(cache_);
    std::string key;
    for (int verdict = 0; in >> key >> verdict;) verdicts_[key] = verdict != 0;
    out_.open(cache_, std::ios::app);
  }
  [[nodiscard]] bool usable() const { return usable_; }

  bool Accepts(const std::string& text) {
    const std::string key = std::to_string(edition_) + Sha256Hex(text);
    const auto known = verdicts_.find(key);
    if (known != verdicts_.end()) return known->second;
    const bool accepted = Run(text, flag_);
    verdicts_[key] = accepted;
    if (out_.is_open()) out_ << key << ' ' << (accepted ? 1 : 0) << '\n' << std::flush;
    return accepted;
  }

 private:
  bool Run(const std::string& text, const std::string& flag) const {
    char name[] = "/tmp/pintle_agreement_XXXXXX";
    const int file = mkstemp(name);
    if (file < 0) return false;
    unlink(name);
    size_t written = 0;
    while (written < text.size()) {
      const ssize_t n = write(file, text.data() + written, text.size() - written);
      if (n <= 0) break;
      written += static_cast<size_t>(n);
    }
    lseek(file, 0, SEEK_SET);
    const std::string edition = std::to_string(edition_);
    const pid_t child = fork();
    if (child == 0) {
      const int null = open("/dev/null", O_WRONLY);
      if (null < 0) _exit(127);
      dup2(file, 0);
      dup2(null, 1);
      dup2(null, 2);
      setenv("RUSTC_BOOTSTRAP", "1", 1);
      execlp(compiler_.c_str(), compiler_.c_str(), "-Z", flag.c_str(), "--edition", edition.c_str(), "-", nullptr);
      _exit(127);
    }
    close(file);
    int status = 1;
    if (child > 0) waitpid(child, &status, 0);
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  int edition_;
  std::string cache_;
  std::string compiler_;
  std::string flag_;
  bool usable_ = false;
  std::map<std::string, bool> verdicts_;
  std::ofstream out_;
};

// One token deleted, doubled, swapped with the next, or a token of another place put before it.
std::string Mutate(const std::string& text, uint32_t seed, uint32_t number, std::string& what) {
  std::vector<Token> all;
  LexRust(text, all);
  std::vector<Token> tokens;
  for (const Token& token : all) {
    if (!IsComment(token.kind) && token.kind != TokenKind::kEnd) tokens.push_back(token);
  }
  if (tokens.size() < 2) return text;
  const auto draw = Philox4x32({number, 1, 0, 0}, {seed, 0x72757374});
  const size_t at = draw[0] % (tokens.size() - 1);
  const Token& token = tokens[at];
  const Token& next = tokens[at + 1];
  const std::string own(token.Text(text));
  std::string result = text;
  switch (draw[1] % 4) {
    case 0:
      what = "delete `" + own + "`";
      result.erase(token.begin, token.end - token.begin);
      break;
    case 1:
      what = "double `" + own + "`";
      result.insert(token.end, " " + own);
      break;
    case 2: {
      const std::string other(next.Text(text));
      what = "swap `" + own + "` and `" + other + "`";
      const std::string between = text.substr(token.end, next.begin - token.end);
      result.replace(token.begin, next.end - token.begin, other + (between.empty() ? " " : between) + own);
      break;
    }
    default: {
      const std::string inserted(tokens[draw[2] % tokens.size()].Text(text));
      what = "insert `" + inserted + "`";
      result.insert(token.begin, inserted + " ");
      break;
    }
  }
  what += " at byte " + std::to_string(token.begin);
  return result;
}

struct Count {
  uint64_t files = 0;
  uint64_t accepted = 0;
  uint64_t differ = 0;
};

void Compare(const std::string& text, const std::string& name, const Options& options, Oracle& oracle, Count& count) {
  ParseOptions parse;
  parse.edition = options.edition;
  const ParseReport report = ParseRust(text, parse);
  const bool accepted = oracle.Accepts(text);
  ++count.files;
  count.accepted += accepted ? 1 : 0;
  if (accepted == report.accepted) return;
  ++count.differ;
  std::cout << (accepted ? "we reject " : "we accept ") << name;
  if (!report.errors.empty()) {
    const ParseError& error = report.errors.front();
    std::cout << " (byte " << error.span.begin << ": " << error.message << ")";
  }
  std::cout << std::endl;
  if (!options.keep.empty()) {
    const fs::path path =
        fs::path(options.keep) / (Sha256Hex(text).substr(0, 16) + (accepted ? "-good.rs" : "-bad.rs"));
    if (const Status status = WriteFileAtomic(path, text); !status.ok()) std::cerr << status.error().Message() << "\n";
  }
}

int Speed(const std::vector<fs::path>& files, int edition) {
  ParseOptions parse_options;
  parse_options.edition = edition;
  std::vector<std::string> texts;
  uint64_t bytes = 0;
  for (const fs::path& path : files) {
    Result<std::string> text = ReadFile(path);
    if (!text.ok()) continue;
    bytes += text->size();
    texts.push_back(std::move(text).value());
  }
  const auto seconds = [&](auto&& run) {
    const auto start = std::chrono::steady_clock::now();
    for (const std::string& text : texts) run(text);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::vector<Token> tokens;
  uint64_t count = 0;
  const double lex = seconds([&](const std::string& text) {
    LexRust(text, tokens, edition);
    count += tokens.size();
  });
  uint64_t errors = 0;
  uint64_t heavy = 0;
  const double parse = seconds([&](const std::string& text) {
    const ParseReport report = ParseRust(text, parse_options);
    errors += report.accepted ? 0 : 1;
    heavy += ErrorShare(report, text) > 500 ? 1 : 0;
  });
  const double megabytes = static_cast<double>(bytes) / 1e6;
  std::printf("%zu files, %.1f MB, %llu tokens, %llu files not accepted, %llu with over 5 %% of bytes in errors\n",
              texts.size(), megabytes, static_cast<unsigned long long>(count), static_cast<unsigned long long>(errors),
              static_cast<unsigned long long>(heavy));
  std::printf("lex %.1f MB/s, lex and parse %.1f MB/s (one core)\n", megabytes / lex, megabytes / parse);
  return 0;
}

int Run(const Options& options) {
  std::vector<fs::path> files;
  for (const fs::path& path : options.paths) {
    if (fs::is_regular_file(path)) files.push_back(path);
    if (!fs::is_directory(path)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file() && entry.path().extension() == ".rs") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::cerr << "no Rust files there\n";
    return 1;
  }
  if (options.speed) return Speed(files, options.edition);
  Oracle oracle(options.edition, options.cache);
  if (!oracle.usable()) {
    std::cerr << "no usable rustc: set RUSTC\n";
    return 3;
  }
  Count whole;
  const size_t step = options.sample == 0 ? 1 : std::max<size_t>(1, files.size() / options.sample);
  for (size_t i = 0; i < files.size(); i += step) {
    Result<std::string> text = ReadFile(files[i]);
    if (text.ok()) Compare(*text, files[i].string(), options, oracle, whole);
  }
  std::printf("files: %llu compared, %llu accepted by rustc, %llu differ\n",
              static_cast<unsigned long long>(whole.files), static_cast<unsigned long long>(whole.accepted),
              static_cast<unsigned long long>(whole.differ));
  Count mutated;
  for (uint64_t i = 0; i < options.mutations; ++i) {
    const auto number = static_cast<uint32_t>(i);
    const auto draw = Philox4x32({number, 0, 0, 0}, {options.seed, 0x72757374});
    const fs::path& path = files[draw[0] % files.size()];
    Result<std::string> text = ReadFile(path);
    if (!text.ok()) continue;
    std::string what;
    const std::string broken = Mutate(*text, options.seed, number, what);
    Compare(broken, path.string() + ": " + what, options, oracle, mutated);
  }
  std::printf("mutations: %llu compared, %llu accepted by rustc, %llu differ\n",
              static_cast<unsigned long long>(mutated.files), static_cast<unsigned long long>(mutated.accepted),
              static_cast<unsigned long long>(mutated.differ));
  const bool good = whole.differ * 1000 <= whole.files && mutated.differ * 1000 <= mutated.files;
  return good ? 0 : 4;
}

}  // namespace
}  // namespace pintle::rust

int main(int argc, char** argv) {
  pintle::rust::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&]() -> std::string { return i + 1 < argc ? argv[++i] : ""; };
    if (name == "--sample") {
      options.sample = std::strtoull(value().c_str(), nullptr, 10);
    } else if (name == "--mutations") {
      options.mutations = std::strtoull(value().c_str(), nullptr, 10);
    } else if (name == "--seed") {
      options.seed = static_cast<uint32_t>(std::strtoull(value().c_str(), nullptr, 10));
    } else if (name == "--edition") {
      options.edition = static_cast<int>(std::strtol(value().c_str(), nullptr, 10));
    } else if (name == "--cache") {
      options.cache = value();
    } else if (name == "--keep") {
      options.keep = value();
    } else if (name == "--speed") {
      options.speed = true;
    } else {
      options.paths.emplace_back(name);
    }
  }
  if (options.paths.empty()) {
    std::cerr
        << "usage: pintle_rust_agreement PATH... [--sample N] [--mutations N] [--seed N] [--edition E] [--cache FILE] "
           "[--keep FOLDER] [--speed]\n";
    return 1;
  }
  return pintle::rust::Run(options);
}
