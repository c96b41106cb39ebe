// The README.md of a trained recursive model: what it is, how well it does beside its baseline, the curve of its
// training, and how to make it again. Written by the training stage from the model's notes and run.jsonl; reads nothing
// else. Not here: evaluation on other puzzles (evaluate).
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "models/trm/config.h"

namespace pintle {

/// Markdown. `notes` are those of the model folder; a missing or damaged `run_log` leaves out the curve.
std::string TrmCard(const TrmConfig& network, const std::map<std::string, std::string>& notes,
                    const std::string& weights_sha256, const std::filesystem::path& run_log);

}  // namespace pintle
