// The page for browsers: the built files of web/, embedded in the program, under the addresses that they have in
// web/dist.
//
// Where it stands: gateway.cc asks this first; everything else is the API's. It deliberately reads no file and knows no
// route of the API: the page talks to that like any other client. Source: RFC 9110 (ETag, If-None-Match,
// Accept-Encoding), Content Security Policy Level 3.
#pragma once

#include <string>
#include <vector>

#include "serve/http/server.h"

namespace pintle {

/// Answers a request for a file of the page; false: the path is none of its. "/" is index.html. GET (and HEAD) only,
/// others are 405. Compressed where the client takes gzip; names under /assets/ hold a hash, so browsers keep them for
/// good, everything else is asked for again with its ETag.
bool ServePage(const HttpRequest& request, HttpResponse& response);

/// Every path that ServePage answers: files that anyone may see, key or not.
std::vector<std::string> PagePaths();

}  // namespace pintle
