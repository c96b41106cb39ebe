// What every answer shares: looking up fields, and the one shape of an error.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "serve/http/server.h"
#include "serve/http/text.h"

namespace pintle {
namespace {

// As OpenAI's service has it: a wrong key and an unknown model are invalid requests, told apart by the code.
std::string_view ErrorType(int status) {
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

std::string NullOr(std::string_view text) { return text.empty() ? "null" : JsonQuote(text); }

}  // namespace

const std::string* FindHeader(const std::vector<HttpHeader>& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const HttpHeader& header) { return EqualIgnoringCase(header.name, name); });
  return found == headers.end() ? nullptr : &found->value;
}

std::string HttpErrorBody(int status, std::string_view message, std::string_view code, std::string_view param) {
  return fmt::format("{{\"error\":{{\"message\":{},\"type\":\"{}\",\"param\":{},\"code\":{}}}}}\n", JsonQuote(message),
                     ErrorType(status), NullOr(param), NullOr(code));
}

void SendHttpError(HttpResponse& response, int status, std::string_view message, std::string_view code,
                   std::string_view param, std::vector<HttpHeader> headers) {
  headers.push_back({"content-type", "application/json"});
  response.Send(status, std::move(headers), HttpErrorBody(status, message, code, param));
}

std::string HttpFieldList(const std::vector<std::string>& names) {
  constexpr size_t kLongest = 1024;
  std::string list;
  for (const std::string& name : names) {
    if (!list.empty()) list += ", ";
    for (const char c : name) list += c > ' ' && c < 127 && c != ',' ? c : '?';
    if (list.size() > kLongest) return list.substr(0, kLongest - 3) + "...";
  }
  return list;
}

}  // namespace pintle
