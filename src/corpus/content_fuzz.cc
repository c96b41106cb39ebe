// Any bytes through the content rules; the normal form of what is kept must be its own normal form.
#include <cstdlib>

#include "corpus/clean_text.h"
#include "corpus/content_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  FilterConfig config;
  config.min_bytes = 0;
  static const BenchmarkIndex benchmarks(13);
  static ContentScratch scratch;
  Signature signature;
  (void)JudgeContent(bytes, config, benchmarks, scratch, signature);
  if (FindBadUtf8(bytes) != std::string_view::npos) return 0;
  for (const Comments comments : {Comments::kKeep, Comments::kDocs, Comments::kNone}) {
    const CleanText once = CleanRust(bytes, true, scratch.tokens, comments);
    if (FindBadUtf8(once.text) != std::string_view::npos) std::abort();
    const CleanText twice = CleanRust(once.text, true, scratch.tokens, comments);
    if (once.text != twice.text || twice.mails != 0) std::abort();
  }
  return 0;
}
