#include "serve/http/http_client.h"

#include <curl/curl.h>

#include <boost/json.hpp>
#include <memory>
#include <string_view>

#include "base/interrupt.h"
#include "base/json.h"

namespace pintle {
namespace {

constexpr size_t kAnswerLimit = 8 << 20;

size_t Take(char* data, size_t size, size_t count, void* answer) {
  auto& text = *static_cast<std::string*>(answer);
  if (text.size() + size * count > kAnswerLimit) return 0;
  text.append(data, size * count);
  return size * count;
}

int Watch(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return Interrupted() ? 1 : 0; }

// The message of {"error": {"message": ...}}, else the beginning of what was said.
std::string WordsOf(const std::string& answer) {
  const auto value = ParseJson(answer, "");
  const auto* object = value.ok() ? value->if_object() : nullptr;
  const auto* error = object != nullptr ? object->if_contains("error") : nullptr;
  if (error == nullptr) return answer.substr(0, 200);
  const auto message = JsonString(*error, "message", "");
  return message.ok() ? *message : answer.substr(0, 200);
}

}  // namespace

Result<std::string> PostJson(const ServerCall& call) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::string url = call.url.substr(0, call.url.find_last_not_of('/') + 1) + call.path;
  if (initialised != CURLE_OK) return RuntimeError("libcurl does not start", url);
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  CURL* curl = handle.get();
  char message[CURL_ERROR_SIZE] = "";
  std::string answer;
  curl_slist* fields = curl_slist_append(nullptr, "Content-Type: application/json");
  if (!call.api_key.empty()) fields = curl_slist_append(fields, ("Authorization: Bearer " + call.api_key).c_str());
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> owned(fields, curl_slist_free_all);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.c_str());
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, Watch);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    return RuntimeError("there is no answer: " + std::string(message[0] != '\0' ? message : curl_easy_strerror(code)),
                        url, "pintle up starts a stack; --url says where it listens");
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status == 200) return answer;
  return RuntimeError("the server says: " + WordsOf(answer), url,
                      status == 401 ? "PINTLE_API_KEY in the environment holds the key" : "");
}

}  // namespace pintle
