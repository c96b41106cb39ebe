// One request through the gateway: choose a node, send the bytes unchanged, pass the answer on as it comes.
//
// Another node is tried only as MayRetry (choose.h) allows, never after the first byte. An answer that breaks off in
// the middle ends with an error event if it is an event stream between two events, else without its end mark, so that
// the client can tell. A client that leaves closes the connection to the node, which is how the node learns of it.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "base/log.h"
#include "base/time.h"
#include "serve/gateway/choose.h"
#include "serve/gateway/state.h"

namespace pintle {
namespace {

constexpr int64_t kWholeBytes = 64 << 10;     // answers up to this are collected and sent with their length
constexpr int64_t kPendingBytes = 256 << 10;  // of a stream that wait for a slow client before the node has to wait too
constexpr auto kPendingPause = std::chrono::milliseconds(5);

class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(GatewayState& state, HttpRequest request, std::shared_ptr<HttpResponse> response, std::string model,
       uint64_t prefix_hash)
      : state_(state),
        request_(std::move(request)),
        response_(std::move(response)),
        model_(std::move(model)),
        prefix_hash_(prefix_hash) {}

  void Start() {
    response_->OnCancel([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->ClientLeft();
    });
    asio::co_spawn(state_.io, Run(), [self = shared_from_this()](const std::exception_ptr&) { self->Finish(); });
  }

 private:
  asio::awaitable<void> Run();
  std::shared_ptr<Node> Choose() const;
  asio::awaitable<Outcome> Attempt(Node& node);
  asio::awaitable<Outcome> PassOn(Node& node, const ResponseHead& head);
  asio::awaitable<bool> PassOnStream(std::vector<HttpHeader> headers, std::string piece);
  Outcome Broken() const;
  void EndBroken();
  void AnswerFailure(Outcome outcome);
  void ClientLeft();
  void Finish();

  GatewayState& state_;
  HttpRequest request_;
  std::shared_ptr<HttpResponse> response_;
  std::string model_;
  uint64_t prefix_hash_;
  std::set<const Node*> tried_;
  std::shared_ptr<Upstream> upstream_;
  int status_ = 499;  // as others name a client that left before its answer
  double start_ = MonotonicSeconds(), first_byte_ = 0;
  bool left_ = false, is_event_stream_ = false, between_events_ = true;
};

asio::awaitable<void> Call::Run() {
  Outcome outcome = Outcome::kNotBegun;
  for (int64_t attempt = 0; attempt <= state_.config.retries && MayRetry(outcome); ++attempt) {
    const std::shared_ptr<Node> node = Choose();
    if (!node) break;
    if (attempt > 0) state_.metrics.Add("pintle_gateway_retries_total", {{"model", model_}});
    tried_.insert(node.get());
    ++node->in_flight;
    outcome = co_await Attempt(*node);
    --node->in_flight;
    if (outcome == Outcome::kNotBegun && !left_) node->MarkDown();
    if (outcome == Outcome::kLost) node->LookAgain();
    if (left_) outcome = Outcome::kClientLeft;
  }
  if (outcome != Outcome::kAnswered && outcome != Outcome::kClientLeft) AnswerFailure(outcome);
}

std::shared_ptr<Node> Call::Choose() const {
  std::vector<std::shared_ptr<Node>> serving;
  std::vector<NodeLoad> loads;
  for (const auto& node : state_.nodes) {
    if (!node->Serves(model_)) continue;
    serving.push_back(node);
    loads.push_back({node->config.name, node->ready, tried_.contains(node.get()), node->in_flight});
  }
  const auto chosen = ChooseNode(loads, prefix_hash_, state_.config.sticky_slack);
  return chosen ? serving[*chosen] : nullptr;
}

asio::awaitable<Outcome> Call::Attempt(Node& node) {
  upstream_ = node.TakeIdle();
  if (!upstream_) {
    upstream_ = std::make_shared<Upstream>(state_.io, state_.scratch);
    upstream_->Limit(state_.config.connect_seconds);
    if (!co_await upstream_->Connect(node.config)) co_return Outcome::kNotBegun;
  }
  upstream_->Limit(state_.config.first_byte_seconds);
  if (!co_await upstream_->Send(UpstreamRequestHead(node.config, request_), request_.body))
    co_return Outcome::kNotBegun;
  ResponseHead head;
  if (!co_await upstream_->ReadHead(head)) co_return Broken();
  first_byte_ = MonotonicSeconds();
  const bool may_go_on = static_cast<int64_t>(tried_.size()) <= state_.config.retries && Choose() != nullptr;
  if ((head.status == 429 || head.status == 503) && may_go_on) {
    upstream_->Close();
    co_return Outcome::kBusy;
  }
  co_return co_await PassOn(node, head);
}

Outcome Call::Broken() const {
  if (upstream_->timed_out()) return Outcome::kTimeout;
  return upstream_->invalid() ? Outcome::kInvalid : Outcome::kLost;
}

asio::awaitable<Outcome> Call::PassOn(Node& node, const ResponseHead& head) {
  std::vector<HttpHeader> headers;
  for (const HttpHeader& header : head.headers) {
    if (!IsHopField(header.name)) headers.push_back(header);
  }
  const std::string* type = FindHeader(headers, "content-type");
  is_event_stream_ = type != nullptr && type->starts_with("text/event-stream");
  const bool whole = head.content_length >= 0 && head.content_length <= kWholeBytes;
  upstream_->Limit(state_.config.idle_seconds);
  std::string piece, body;
  bool intact = true;
  if (whole) {
    do {
      intact = co_await upstream_->ReadBody(piece);
      body += piece;
    } while (intact && !piece.empty());
    if (!intact) co_return Broken();
    status_ = head.status;
    response_->Send(status_, std::move(headers), std::move(body));
  } else {
    status_ = head.status;
    intact = co_await PassOnStream(std::move(headers), std::move(piece));
  }
  if (intact && upstream_->reusable()) node.GiveBack(upstream_);
  co_return Outcome::kAnswered;
}

// Piece by piece, each at once. False: the answer broke off, which the client was told.
asio::awaitable<bool> Call::PassOnStream(std::vector<HttpHeader> headers, std::string piece) {
  response_->Begin(status_, std::move(headers));
  double limited = MonotonicSeconds();
  while (true) {
    if (!co_await upstream_->ReadBody(piece)) {
      EndBroken();
      co_return false;
    }
    if (piece.empty()) {
      response_->End();
      co_return true;
    }
    between_events_ = piece.ends_with("\n\n");
    if (!response_->Write(std::move(piece))) co_return false;
    while (response_->Pending() > kPendingBytes) {
      asio::steady_timer pause(state_.io, kPendingPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (const double now = MonotonicSeconds(); now - limited > 1) {
      upstream_->Limit(state_.config.idle_seconds);
      limited = now;
    }
  }
}

void Call::EndBroken() {
  if (left_) return;
  LogWarning("gateway", "an answer broke off, request " + request_.request_id);
  if (!is_event_stream_ || !between_events_) return response_->Abort();
  const bool late = upstream_->timed_out();
  std::string error = HttpErrorBody(late ? 504 : 503,
                                    late ? "the node fell silent in the middle of its answer"
                                         : "the node ended in the middle of its answer; send the request again",
                                    late ? "node_timeout" : "node_lost");
  error.pop_back();  // its line end
  response_->Write("data: " + error + "\n\n");
  response_->End();
}

void Call::AnswerFailure(Outcome outcome) {
  std::vector<HttpHeader> retry = {{"retry-after", "1"}};
  switch (outcome) {
    case Outcome::kTimeout:
      status_ = 504;
      return SendHttpError(*response_, 504, "the node gave no answer in time", "node_timeout");
    case Outcome::kInvalid:
      status_ = 502;
      return SendHttpError(*response_, 502, "the node's answer is no HTTP", "node_invalid");
    case Outcome::kLost:
      status_ = 503;
      return SendHttpError(*response_, 503, "the node ended while it worked on this request; send it again",
                           "node_lost", {}, std::move(retry));
    default:
      status_ = 503;
      return SendHttpError(*response_, 503, fmt::format("no node that serves '{}' can be reached now", model_),
                           "node_unavailable", {}, std::move(retry));
  }
}

void Call::ClientLeft() {
  left_ = true;
  if (upstream_) upstream_->Close();
}

void Call::Finish() {
  const MetricLabels labels = {{"route", request_.path}, {"model", model_}};
  state_.metrics.Add("pintle_gateway_requests_total",
                     {{"route", request_.path}, {"model", model_}, {"status", std::to_string(status_)}});
  state_.metrics.Observe("pintle_gateway_request_seconds", labels, MonotonicSeconds() - start_);
  if (first_byte_ > 0) state_.metrics.Observe("pintle_gateway_first_byte_seconds", labels, first_byte_ - start_);
}

}  // namespace

void StartForward(GatewayState& state, HttpRequest request, std::shared_ptr<HttpResponse> response, std::string model,
                  uint64_t prefix_hash) {
  std::make_shared<Call>(state, std::move(request), std::move(response), std::move(model), prefix_hash)->Start();
}

}  // namespace pintle
