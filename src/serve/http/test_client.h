// A client for tests that says exactly the bytes it is told: blocking sockets on loopback, with a time limit. Tests
// only.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace pintle {

/// One connection; closes on destruction.
class TestClient {
 public:
  explicit TestClient(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~TestClient() { Close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return connected_; }
  void Close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  void Say(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  /// Reads until `end` has come (or the other side closed, or the time is over); what came, which is then forgotten.
  std::string HearUntil(std::string_view end, double seconds = 5) {
    const double deadline = MonotonicSeconds() + seconds;
    while (true) {
      const size_t at = end.empty() ? std::string::npos : heard_.find(end);
      if (at != std::string::npos) {
        std::string result = heard_.substr(0, at + end.size());
        heard_.erase(0, at + end.size());
        return result;
      }
      pollfd poll{socket_, POLLIN, 0};
      const double left = deadline - MonotonicSeconds();
      char buffer[16384];
      ssize_t got = 0;
      if (left <= 0 || ::poll(&poll, 1, static_cast<int>(1000 * left) + 1) <= 0 ||
          (got = ::recv(socket_, buffer, sizeof buffer, 0)) <= 0) {
        closed_ = got <= 0 && left > 0;
        return std::move(heard_);
      }
      heard_.append(buffer, static_cast<size_t>(got));
    }
  }
  /// Everything until the other side closes.
  std::string HearAll(double seconds = 5) { return HearUntil("", seconds); }
  /// The other side has closed.
  bool closed() const { return closed_; }

 private:
  int socket_;
  bool connected_ = false, closed_ = false;
  std::string heard_;
};

}  // namespace pintle
