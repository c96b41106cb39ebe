// A server on a thread of its own, for programs that do something else beside it: a stack in one process, a benchmark.
#pragma once

#include <memory>
#include <thread>
#include <utility>

#include "base/result.h"

namespace pintle {

/// Runs an HttpServer or a Gateway from construction to destruction, which breaks off what is in work.
template <typename Server>
class Running {
 public:
  explicit Running(std::unique_ptr<Server> server)
      : server_(std::move(server)), thread_([this] { status_ = server_->Run(); }) {}
  ~Running() {
    server_->Stop(0);
    thread_.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  [[nodiscard]] uint16_t port() const { return server_->port(); }

 private:
  std::unique_ptr<Server> server_;
  Status status_;
  std::thread thread_;
};

}  // namespace pintle
