// Child processes that are meant to run for ever: started, watched, started again with growing pauses, ended with their
// parent. Internal to the gateway; includes Asio.
//
// Where it stands: gateway.cc starts it for `pintle up`. A child that dies takes nothing else down. It deliberately
// does not look into a child: whether it works is for the health checks to say.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "serve/gateway/gateway.h"

namespace pintle {

/// One thread: that of the io_context, which lives as long as the children are to live (the system ends them with it).
class Supervisor {
 public:
  Supervisor(boost::asio::io_context& io, std::vector<ChildProgram> programs);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Called with the name of a child that ended by itself.
  std::function<void(const std::string&)> on_exit;

  /// Starts every child. An error if one cannot be started at all.
  Status Start();
  /// Asks every child to end, waits a while, kills what is left.
  void Stop();

 private:
  struct Child {
    ChildProgram program;
    pid_t pid = 0;  // 0: not running
    double started = 0, pause = 0;
  };

  Status Spawn(Child& child);
  boost::asio::awaitable<void> WatchExits();
  boost::asio::awaitable<void> Restart(Child& child);
  void Reap();

  boost::asio::io_context& io_;
  boost::asio::signal_set signals_;
  std::vector<std::unique_ptr<Child>> children_;
  bool stopping_ = false;
};

}  // namespace pintle
