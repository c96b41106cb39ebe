// The gateway: one address in front of any number of nodes. It routes by model name, notices nodes that come and go,
// supervises nodes that it started itself, and sums up what they serve.
//
// Where it stands: cli/gateway.cc and cli/up.cc -> this -> http/server.h towards clients, upstream.h towards nodes.
// It deliberately understands nothing of a request but the model's name: what a field means is the node's business, and
// bodies pass unchanged. One thread: all it does is copy bytes. See ../README.md for a request traced step by step.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalogue/pull.h"
#include "serve/gateway/table.h"
#include "serve/http/server.h"

namespace pintle {

/// A program that the gateway starts, watches, and starts again if it ends.
struct ChildProgram {
  std::string name;                    ///< of its node in the table
  std::vector<std::string> arguments;  ///< the program's path first
};

/// How a gateway is set up.
struct GatewayOptions {
  HttpServerOptions http;
  GatewayConfig table;
  std::function<Result<GatewayConfig>()> reload;  ///< on SIGHUP; none: SIGHUP is ignored
  std::vector<ChildProgram> children;
  std::shared_ptr<PullJobs> catalogue;  ///< models by name, over HTTP; null: those routes are not served
};

/// Ports on 127.0.0.1 that nobody listened on just now, each another one: the system likes to name the same port twice.
Result<std::vector<uint16_t>> FreeLoopbackPorts(size_t count);

/// See the top of the file.
class Gateway {
 public:
  /// Listens, so that port() is known; serves nothing yet.
  static Result<std::unique_ptr<Gateway>> Create(GatewayOptions options);
  virtual ~Gateway() = default;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  [[nodiscard]] virtual uint16_t port() const = 0;
  /// Starts the children and serves on the calling thread until Stop or a signal; then ends the children.
  virtual Status Run() = 0;
  /// From any thread, as HttpServer::Stop.
  virtual void Stop(double drain_seconds) = 0;

 protected:
  Gateway() = default;
};

}  // namespace pintle
