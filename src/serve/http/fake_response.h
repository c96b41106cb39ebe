// For tests: an HttpResponse without a socket, and a way to ask a node.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "serve/http/server.h"

namespace pintle {

/// Collects what is sent. `Leave` is the client closing its connection.
class FakeResponse : public HttpResponse {
 public:
  void Send(int status, std::vector<HttpHeader> headers, std::string body) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_ = status;
    headers_ = std::move(headers);
    body_ = std::move(body);
    ended_ = true;
    changed_.notify_all();
  }
  void Begin(int status, std::vector<HttpHeader> headers) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_ = status;
    headers_ = std::move(headers);
  }
  bool Write(std::string chunk) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    body_ += chunk;
    ++writes_;
    changed_.notify_all();
    return !left_;
  }
  void End() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  void Abort() override { End(); }
  void OnCancel(std::function<void()> callback) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    on_cancel_ = std::move(callback);
  }

  void Leave() {
    std::function<void()> callback;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      left_ = true;
      callback = on_cancel_;
    }
    if (callback) callback();
  }
  void WaitForWrites(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return writes_ >= count || ended_; });
  }
  /// Waits for the end.
  FakeResponse& Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return ended_; });
    return *this;
  }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] std::string Header(std::string_view name) const {
    const std::string* value = FindHeader(headers_, name);
    return value == nullptr ? std::string() : *value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int status_ = 0, writes_ = 0;
  std::vector<HttpHeader> headers_;
  std::string body_;
  bool ended_ = false, left_ = false;
  std::function<void()> on_cancel_;
};

/// Sends a request to the routes of a node; the answer comes when it comes.
template <typename Node>
std::shared_ptr<FakeResponse> Ask(Node& node, const std::string& method, const std::string& path,
                                  const std::string& body = {}) {
  auto response = std::make_shared<FakeResponse>();
  node.Handle(
      {.method = method, .path = path, .query = "", .body = body, .request_id = "r", .client = "", .headers = {}},
      response);
  return response;
}
template <typename Node>
std::shared_ptr<FakeResponse> Post(Node& node, const std::string& path, const std::string& body) {
  return Ask(node, "POST", path, body);
}
template <typename Node>
std::shared_ptr<FakeResponse> Get(Node& node, const std::string& path) {
  return Ask(node, "GET", path);
}

}  // namespace pintle
