// Any bytes as what a client sends: read in pieces and at once they give the same requests or the same refusal, within
// the limits; whoever is admitted named an allowed host.
#include <cstdlib>
#include <vector>

#include "serve/http/access.h"
#include "serve/http/request_reader.h"

namespace {

using pintle::RequestReader;
constexpr int64_t kHeaderLimit = 2048, kBodyLimit = 4096;

// What a connection would make of the bytes: requests as text, then how it ended.
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
      seen.push_back(std::to_string(reader->refusal().status));
      return seen;
    }
    if (state == RequestReader::State::kDone) {
      const pintle::HttpRequest& request = reader->request();
      if (request.body.size() > kBodyLimit || request.path.empty()) std::abort();
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
  if (ReadAll(bytes, size + 1) != ReadAll(bytes, 1)) std::abort();
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
