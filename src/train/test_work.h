// For the tests of this folder: a work folder with a tokenizer and shards of a small made-up text, as the earlier
// stages leave it.
#pragma once

#include <filesystem>

#include "train/train_config.h"

namespace pintle {

/// Writes WORK/tokenizer and WORK/shards: a few dozen short documents over a small vocabulary, easy to learn by heart.
void WriteTestWork(const std::filesystem::path& work);

/// Settings of a model of some 28 thousand weights that learns that text within a few dozen steps.
TrainConfig TestTrainConfig();

}  // namespace pintle
