#include "serve/gateway/load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace pintle {
namespace {

struct Line {
  int socket = -1;
  double due = 0;  // of the request in work; 0: idle
  std::string heard;
  Line() = default;
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() {
    if (socket >= 0) close(socket);
  }
};

Status Connect(Line& line, uint16_t port) {
  line.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (line.socket < 0 || connect(line.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return RuntimeError("cannot connect", "127.0.0.1:" + std::to_string(port));
  }
  const int on = 1;
  setsockopt(line.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {};
}

// The size of a whole answer at the beginning of `text`, 0 if it is not whole yet.
size_t AnswerSize(std::string_view text) {
  constexpr std::string_view kLength = "ontent-", kEnd = "\r\n\r\n";
  const size_t end = text.find(kEnd);
  if (end == std::string_view::npos) return 0;
  size_t length = 0;
  for (size_t at = text.find(kLength); at < end; at = text.find(kLength, at + 1)) {
    const std::string_view rest = text.substr(at + kLength.size(), end - at - kLength.size());
    if (!rest.starts_with("length: ") && !rest.starts_with("Length: ")) continue;
    std::from_chars(rest.data() + 8, rest.data() + rest.size(), length);
  }
  const size_t size = end + kEnd.size() + length;
  return text.size() >= size ? size : 0;
}

// A quantile of sorted seconds.
double Milliseconds(const std::vector<double>& sorted, double quantile) {
  if (sorted.empty()) return 0;
  return 1000 * sorted[static_cast<size_t>(quantile * static_cast<double>(sorted.size() - 1))];
}

// Takes the whole events off the beginning of what was heard, and notes how long each was on its way.
void TakeEvents(std::string& heard, std::vector<double>& delays) {
  constexpr std::string_view kData = "data: ", kEnd = "\n\n";
  const double now = MonotonicSeconds();
  size_t done = 0;
  while (true) {
    const size_t begin = heard.find(kData, done), end = heard.find(kEnd, begin);
    if (begin == std::string::npos || end == std::string::npos) break;
    double left = 0;
    const auto read = std::from_chars(heard.data() + begin + kData.size(), heard.data() + end, left);
    if (read.ec == std::errc()) delays.push_back(now - left);
    done = end + kEnd.size();
  }
  heard.erase(0, done);
}

class Generator {
 public:
  explicit Generator(const LoadOptions& options) : options_(options) {}
  ~Generator() {
    if (poll_ >= 0) close(poll_);
  }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  Result<LoadResult> Run() {
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    for (int64_t i = 0; i < options_.connections; ++i) {
      lines_.push_back(std::make_unique<Line>());
      PINTLE_RETURN_IF_ERROR(Connect(*lines_.back(), options_.port));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = lines_.back().get();
      epoll_ctl(poll_, EPOLL_CTL_ADD, lines_.back()->socket, &event);
      idle_.push_back(lines_.back().get());
    }
    const double start = MonotonicSeconds(), end = start + options_.seconds;
    double next = start;
    while (true) {
      double now = MonotonicSeconds();
      const bool over = now > end;
      if (over && (idle_.size() == lines_.size() || now > end + 5)) break;
      while (!over && options_.rate > 0 && next <= now) {
        due_.push_back(next);
        next += 1 / options_.rate;
      }
      // Each at most once: a connection that fails is idle again at once.
      for (size_t idle = idle_.size(); idle > 0 && !over && (options_.rate == 0 || !due_.empty()); --idle) {
        const double due = options_.rate == 0 ? now : due_.front();
        if (options_.rate > 0) due_.pop_front();
        Ask(due);
      }
      now = MonotonicSeconds();
      const double wait = options_.rate > 0 && !over ? std::max(0.0, next - now) : 0.1;
      Hear(wait);
    }
    const double seconds = options_.seconds;
    LoadResult result;
    result.answered = static_cast<int64_t>(latencies_.size());
    result.failed = failed_ + static_cast<int64_t>(due_.size());
    result.requests_per_second = static_cast<double>(result.answered) / seconds;
    std::sort(latencies_.begin(), latencies_.end());
    result.p50_ms = Milliseconds(latencies_, 0.5);
    result.p99_ms = Milliseconds(latencies_, 0.99);
    return result;
  }

 private:
  void Ask(double due) {
    Line& line = *idle_.front();
    idle_.pop_front();
    line.due = due;
    // Requests are small: loopback takes them whole.
    const ssize_t sent = send(line.socket, options_.request.data(), options_.request.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(options_.request.size())) Fail(line);
  }

  void Hear(double seconds) {
    epoll_event events[64];
    // Whole milliseconds are too coarse for half a millisecond's wait: what is left is waited for by looking.
    const int count = epoll_wait(poll_, events, 64, static_cast<int>(1000 * seconds));
    for (int i = 0; i < count; ++i) {
      Line& line = *static_cast<Line*>(events[i].data.ptr);
      char buffer[16384];
      const ssize_t got = recv(line.socket, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got <= 0) {
        Fail(line);
        continue;
      }
      line.heard.append(buffer, static_cast<size_t>(got));
      const size_t size = AnswerSize(line.heard);
      if (size == 0) continue;
      if (std::string_view(line.heard).starts_with("HTTP/1.1 200")) {
        latencies_.push_back(MonotonicSeconds() - line.due);
      } else {
        ++failed_;
      }
      line.heard.erase(0, size);
      line.due = 0;
      idle_.push_back(&line);
    }
  }

  // The connection is made anew.
  void Fail(Line& line) {
    if (line.due > 0) {
      ++failed_;
      idle_.push_back(&line);
    }
    line.due = 0;
    line.heard.clear();
    close(line.socket);
    if (!Connect(line, options_.port).ok()) return;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &line;
    epoll_ctl(poll_, EPOLL_CTL_ADD, line.socket, &event);
  }

  const LoadOptions& options_;
  int poll_ = -1;
  std::vector<std::unique_ptr<Line>> lines_;
  std::deque<Line*> idle_;
  std::deque<double> due_;
  std::vector<double> latencies_;
  int64_t failed_ = 0;
};

}  // namespace

Result<LoadResult> RunLoad(const LoadOptions& options) { return Generator(options).Run(); }

Result<StreamResult> RunStreams(const LoadOptions& options) {
  std::vector<std::unique_ptr<Line>> lines;
  std::vector<pollfd> sockets;
  for (int64_t i = 0; i < options.connections; ++i) {
    lines.push_back(std::make_unique<Line>());
    PINTLE_RETURN_IF_ERROR(Connect(*lines.back(), options.port));
    const auto size = static_cast<ssize_t>(options.request.size());
    if (send(lines.back()->socket, options.request.data(), options.request.size(), MSG_NOSIGNAL) != size) {
      return RuntimeError("a server took only part of a request");
    }
    sockets.push_back({lines.back()->socket, POLLIN, 0});
  }
  std::vector<double> delays;
  const double end = MonotonicSeconds() + options.seconds;
  while (MonotonicSeconds() < end) {
    poll(sockets.data(), sockets.size(), 100);
    for (size_t i = 0; i < sockets.size(); ++i) {
      if (sockets[i].revents == 0) continue;
      char buffer[16384];
      const ssize_t got = recv(sockets[i].fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got <= 0) return RuntimeError("a stream of events ended too early");
      lines[i]->heard.append(buffer, static_cast<size_t>(got));
      TakeEvents(lines[i]->heard, delays);
    }
  }
  std::sort(delays.begin(), delays.end());
  return StreamResult{Milliseconds(delays, 0.5), Milliseconds(delays, 0.99), static_cast<int64_t>(delays.size())};
}

}  // namespace pintle
