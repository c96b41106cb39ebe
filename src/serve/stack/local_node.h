// Nodes inside this process, for `pintle up --single`: what is otherwise a child process is here a server on a thread
// of its own. The gateway speaks to them over loopback as to any node, so that routes and answers are the same.
//
// It deliberately gives up one thing: a node that crashes takes everything with it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "serve/node/model_shelf.h"
#include "serve/puzzle/puzzle_node.h"

namespace pintle {

/// A node that serves until the object goes. Listens on a free port of 127.0.0.1 for a gateway.
class LocalNode {
 public:
  /// llm-node; models load in the background.
  static Result<std::unique_ptr<LocalNode>> ServeModels(const std::vector<ModelSpec>& models,
                                                        const ShelfOptions& options);
  /// tts-node; at most one in a process, since Flite takes one call at a time.
  static Result<std::unique_ptr<LocalNode>> ServeSpeech();
  /// trm-node.
  static Result<std::unique_ptr<LocalNode>> ServePuzzles(std::vector<std::unique_ptr<PuzzleSolver>> solvers);
  virtual ~LocalNode() = default;
  LocalNode(const LocalNode&) = delete;
  LocalNode& operator=(const LocalNode&) = delete;

  [[nodiscard]] virtual uint16_t port() const = 0;

 protected:
  LocalNode() = default;
};

}  // namespace pintle
