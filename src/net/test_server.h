// A loopback HTTP/1.1 server for tests of downloads: each connection gets one answer, which may break off, lie or send
// somewhere else. Internal to tests.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pintle {

/// A request as it came: "GET /path HTTP/1.1\r\n..." without the empty line.
struct ServedRequest {
  std::string head, path;

  [[nodiscard]] std::string Header(const std::string& name) const {
    const size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  /// The first byte asked for, or -1 for the whole file.
  [[nodiscard]] int64_t Offset() const {
    const std::string range = Header("Range");
    return range.starts_with("bytes=") ? std::stoll(range.substr(6)) : -1;
  }
};

/// What the server says.
struct ServedReply {
  int code = 200;
  std::string body;
  std::vector<std::string> headers = {};
  size_t cut = std::string::npos;  ///< the connection ends after this many bytes of the body
  int64_t claimed = -1;            ///< Content-Length if it is not the body's; -2: none at all
};

/// A part if one is asked for and If-Range, if there, names this version; else all of it.
inline ServedReply ServeVersion(const ServedRequest& request, const std::string& body, const std::string& etag) {
  ServedReply reply{200, body, {"ETag: " + etag}};
  const int64_t offset = request.Offset();
  const std::string wanted = request.Header("If-Range");
  if (offset < 0 || (!wanted.empty() && wanted != etag)) return reply;
  if (offset >= static_cast<int64_t>(body.size())) return {416, ""};
  reply.code = 206;
  reply.body = body.substr(static_cast<size_t>(offset));
  reply.headers.push_back("Content-Range: bytes " + std::to_string(offset) + "-" + std::to_string(body.size() - 1) +
                          "/" + std::to_string(body.size()));
  return reply;
}

/// Listens on a port of its own until it is destroyed. `answer` is called on the server's thread.
class TestServer {
 public:
  explicit TestServer(std::function<ServedReply(const ServedRequest&)> answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0) return;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~TestServer() {
    ::shutdown(listener_, SHUT_RDWR);
    ::close(listener_);
    if (thread_.joinable()) thread_.join();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  [[nodiscard]] std::string Url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  [[nodiscard]] int requests() const { return requests_; }

 private:
  void Serve() {
    while (true) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      ++requests_;
      Answer(client);
      ::close(client);
    }
  }

  void Answer(int client) {
    ServedRequest request;
    char buffer[4096];
    while (request.head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::read(client, buffer, sizeof buffer);
      if (got <= 0) return;
      request.head.append(buffer, static_cast<size_t>(got));
    }
    const size_t begin = request.head.find(' ') + 1;
    request.path = request.head.substr(begin, request.head.find(' ', begin) - begin);
    const ServedReply reply = answer_(request);
    std::string all = "HTTP/1.1 " + std::to_string(reply.code) + " x\r\nConnection: close\r\n";
    const int64_t length = reply.claimed == -1 ? static_cast<int64_t>(reply.body.size()) : reply.claimed;
    if (length >= 0) all += "Content-Length: " + std::to_string(length) + "\r\n";
    for (const std::string& header : reply.headers) all += header + "\r\n";
    all += "\r\n" + reply.body.substr(0, reply.cut);
    for (size_t sent = 0; sent < all.size();) {
      const ssize_t put = ::send(client, all.data() + sent, all.size() - sent, MSG_NOSIGNAL);
      if (put <= 0) return;
      sent += static_cast<size_t>(put);
    }
  }

  std::function<ServedReply(const ServedRequest&)> answer_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  std::thread thread_;
};

}  // namespace pintle
