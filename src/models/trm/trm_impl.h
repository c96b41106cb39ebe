// What a Trm consists of; for trm.cc and trainer.cc alone.
#pragma once

#include <memory>

#include "models/trm/recursion.h"
#include "models/trm/trm.h"

namespace pintle {

/// What a Trm consists of.
struct Trm::Impl {
  TrmConfig config;
  ThreadPool* pool = nullptr;
  ParameterRegistry registry;
  TrmWeights weights;
  std::unique_ptr<TrmRecursion> recursion;  // inference

  Status Reshape(const TrmConfig& to);
};

}  // namespace pintle
