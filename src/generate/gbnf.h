// Grammars as text, in the notation that llama.cpp's clients send ("GBNF"). Not here: look-ahead, regular expressions,
// rules that begin with themselves (an error: write them the other way round).
// Source: the notation as llama.cpp documents it (grammars/README.md).
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "generate/grammar.h"

namespace pintle {

// Escapes in "text" and in [sets]: \n \r \t \\ \" \xHH \uHHHH \UHHHHHHHH.

/// The grammar of the rule `root`. Lines `name ::= ...` of "text" with the usual escapes, [a-z] and [^a-z] of code
/// points, `.` for any, names, ( ), |, and behind an element * + ? {n} {n,} {n,m}; # begins a comment; lines go on
/// inside parentheses and after | and ::=. At most 64 KiB, 64 groups inside each other, 10,000 repetitions. An error
/// names the line.
Result<std::shared_ptr<const Grammar>> ParseGbnf(std::string_view text);

}  // namespace pintle
