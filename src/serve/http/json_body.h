// The body of a request as JSON, strictly: one object, UTF-8, at most 64 levels deep, no key twice (two parsers could
// each believe another one of them).
#pragma once

#include <boost/json/fwd.hpp>
#include <string_view>

#include "serve/http/api_error.h"

namespace pintle {

/// Parses into `object`.
MaybeApiError ParseBody(std::string_view body, boost::json::object& object);

}  // namespace pintle
