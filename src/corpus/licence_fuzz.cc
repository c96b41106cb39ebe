// Any bytes as a licence expression, a Cargo.toml, a licence text and a REUSE record: no crash, and a decision that
// holds when asked again.
#include <cstdlib>

#include "corpus/cargo_manifest.h"
#include "corpus/licence_text.h"
#include "corpus/source_facts.h"
#include "corpus/spdx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> permissive = {"MIT", "Apache-2.0", "Zlib"};
  const LicenceDecision decision = ChooseLicence(text, permissive);
  // The chosen branch is an expression itself, and permissive.
  if (decision.verdict == LicenceVerdict::kPermissive && decision.text.size() < 1000 &&
      ChooseLicence(decision.text, permissive).verdict != LicenceVerdict::kPermissive) {
    std::abort();
  }
  (void)ParseCargoManifest(text, "Cargo.toml");
  (void)HeaderLicence(text);
  (void)ParseVersion(text);
  SourceFacts facts;
  facts.Add("a/Cargo.toml", text);
  facts.Add("a/LICENSE", text);
  facts.Add("a/REUSE.toml", text);
  facts.Add("b/.reuse/dep5", text);
  facts.Finish("MIT");
  (void)facts.Licence("a/src/lib.rs");
  (void)facts.Licence("b/src/lib.rs");
  (void)facts.Crate("a/src/lib.rs");
  const size_t half = text.size() / 2;
  (void)ReuseMatch(text.substr(0, half), text.substr(half));
  return 0;
}
