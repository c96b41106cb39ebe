// One HTTP connection to a node: send a request, read the answer's head, then its body piece by piece. Internal to the
// gateway; includes Asio.
//
// Where it stands: forward.cc and node.cc use it; a Node (state.h) keeps idle ones. Every wait ends early when the time
// given by Limit is over or Close is called. It deliberately retries nothing and knows no routes.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/gateway/response_reader.h"
#include "serve/gateway/table.h"
#include "serve/http/server.h"

namespace pintle {

namespace asio = boost::asio;

/// See the top of the file. Shared, because a timer and a leaving client may close it.
class Upstream : public std::enable_shared_from_this<Upstream> {
 public:
  Upstream(asio::io_context& io, std::vector<char>& scratch);
  ~Upstream();

  /// The time for what follows; replaces the time set before.
  void Limit(double seconds);
  [[nodiscard]] bool timed_out() const { return timed_out_; }
  /// Ends everything that waits. Idempotent.
  void Close();

  asio::awaitable<bool> Connect(const GatewayNode& node);
  /// Sends the whole of both; false: it did not get out.
  asio::awaitable<bool> Send(const std::string& head, const std::string& body);
  /// False: the connection ended, or the answer is no HTTP (then invalid()).
  asio::awaitable<bool> ReadHead(ResponseHead& head);
  /// The next piece of the body into `piece` (replaced); empty with true: the body is complete. False: it broke off.
  asio::awaitable<bool> ReadBody(std::string& piece);

  [[nodiscard]] bool invalid() const { return reader_ != nullptr && reader_->invalid(); }
  /// May carry another request after the body is complete.
  [[nodiscard]] bool reusable() const;
  /// An idle connection that the node has not closed yet.
  [[nodiscard]] bool StillOpen();
  double idle_since = 0;  ///< when the node got it back

 private:
  asio::awaitable<bool> ReadSome();

  asio::ip::tcp::socket socket_;
  asio::ip::tcp::resolver resolver_;
  asio::steady_timer timer_;
  std::vector<char>& scratch_;
  std::unique_ptr<ResponseReader> reader_;  // of the answer under way
  std::string inbox_;
  bool timed_out_ = false, ended_ = false;
};

/// Head of a request to a node: the client's end-to-end fields, the node's own key, the request id, whose it is.
std::string UpstreamRequestHead(const GatewayNode& node, const HttpRequest& request);
/// True for fields that concern one connection or this very server and are not passed on, in either direction.
bool IsHopField(std::string_view name);

}  // namespace pintle
