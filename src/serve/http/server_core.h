// The server over an event loop that its owner also uses for other sockets (the gateway's connections to nodes).
// Internal to serve/: everybody else includes server.h.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "serve/http/server.h"

namespace pintle {

/// As HttpServer::Create, on `io`, which outlives the server. Run runs `io`, and stops it when the server has stopped.
Result<std::unique_ptr<HttpServer>> CreateHttpServer(boost::asio::io_context& io, HttpServerOptions options,
                                                     HttpHandler handler);

}  // namespace pintle
