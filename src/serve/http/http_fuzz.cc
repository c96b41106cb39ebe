// Any bytes as what a client sends: read in pieces and at once they give the same requests, within the limits; whoever
// is admitted named an allowed host. What is refused one way may still be waited for the other way (the parser looks
// for the header's end first, and counts a chunk against the limit again while it waits for the end of a quoted
// extension); it never becomes a request.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "serve/http/access.h"
#include "serve/http/request_reader.h"
#include "serve/http/text.h"

namespace {

using pintle::RequestReader;
constexpr int64_t kHeaderLimit = 2048, kBodyLimit = 4096;

constexpr std::string_view kRefused = "refused";

// What a connection would make of the bytes: requests as text, then whether the rest was refused.
std::vector<std::string> ReadAll(std::string_view bytes, size_t step) {
  std::vector<std::string> seen;
  std::string inbox;
  auto reader = std::make_unique<RequestReader>(kHeaderLimit, kBodyLimit);
  while (true) {
    size_t used = 0;
    const auto state = reader->Feed(inbox, used);
    if (used > inbox.size()) std::abort();
    inbox.erase(0, used);
    if (state == RequestReader::State::kHeader) continue;
    if (state == RequestReader::State::kRefused) {
      if (reader->refusal().status < 400) std::abort();
      seen.emplace_back(kRefused);
      return seen;
    }
    if (state == RequestReader::State::kDone) {
      const pintle::HttpRequest& request = reader->request();
      if (request.body.size() > kBodyLimit || request.path.empty()) std::abort();
      if (pintle::PercentDecoded(request.path).size() > request.path.size()) std::abort();
      if (pintle::QueryValue(request.query, "model").value_or("").size() > request.query.size()) std::abort();
      seen.push_back(request.method + " " + request.path + "?" + request.query + " " + request.body);
      reader = std::make_unique<RequestReader>(kHeaderLimit, kBodyLimit);
      continue;
    }
    if (bytes.empty()) return seen;
    inbox.append(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> at_once = ReadAll(bytes, size + 1);
  std::vector<std::string> in_pieces = ReadAll(bytes, 1);
  for (auto* seen : {&at_once, &in_pieces}) {
    if (!seen->empty() && seen->back() == kRefused) seen->pop_back();
  }
  if (at_once != in_pieces) std::abort();
  static const AccessPolicy policy = *AccessPolicy::Create({});
  RequestReader reader(kHeaderLimit, kBodyLimit);
  size_t used = 0;
  if (reader.Feed(bytes, used) == RequestReader::State::kHeader) {
    const auto admission = policy.Check(reader.request());
    const std::string* host = reader.request().Header("host");
    if (!admission.refusal && host != nullptr && !IsLoopbackName(HostWithoutPort(*host))) std::abort();
  }
  return 0;
}
