// Units, currencies and magnitudes as they are written and as they are said. Internal to text/speech.
#pragma once

#include <span>
#include <string_view>

namespace pintle {

/// What stands behind a number.
struct SpokenUnit {
  std::string_view written, one, many;
  bool attached_only = false;  ///< behind a blank it could be a word or a letter
};

/// Stands in front of an amount; without cents, `cent` is empty.
struct SpokenCurrency {
  std::string_view written, one, many, cent, cents;
};

/// Null if it is no unit; `attached`: no blank stood before it.
const SpokenUnit* FindUnit(std::string_view written, bool attached);
std::span<const SpokenCurrency> Currencies();
/// "million" of "M" and "million", "" if it is none; the short forms only without a blank before them.
std::string_view MagnitudeWord(std::string_view written, bool attached);

}  // namespace pintle
