// Negative log-likelihood of a text under a decoder: what bits per byte and perplexity are made of.
#pragma once

#include <string_view>

#include "base/result.h"
#include "generate/generate.h"
#include "models/decoder/decoder.h"
#include "text/tokenizer.h"

namespace pintle {

/// The document <|endoftext|> t1 .. tn in windows of the context length, each beginning half a context after the one
/// before; each token is scored once, in the first window that has it. The end of the document is not scored.
Result<TextScore> ScoreText(Decoder& decoder, const Tokenizer& tokenizer, std::string_view text);

}  // namespace pintle
