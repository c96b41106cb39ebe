// Words: which capitals are spelt, and where CamelCase is parted.
#include <algorithm>
#include <iterator>

#include "text/speech/spoken_rules.h"

namespace pintle {
namespace {

// Written in capitals and spelt, although vowels would let them be read. In order.
constexpr std::string_view kSpelt[] = {
    "AI",  "AM",   "API", "ATM",  "AWS",  "BA",  "BBC",  "CEO", "CIA", "CPU", "CTO", "DIY",  "DNA", "ETA",
    "EU",  "EULA", "FAQ", "FBI",  "FIFO", "GPU", "GUI",  "IBM", "ID",  "IDE", "IO",  "IOU",  "IP",  "IPA",
    "IPO", "IQ",   "IRS", "ISBN", "ISO",  "ISP", "IT",   "IV",  "MA",  "MIT", "NBA", "OECD", "OK",  "OS",
    "PA",  "PE",   "PIN", "PO",   "PR",   "QA",  "RFID", "RNA", "SOS", "SUV", "TNA", "UCLA", "UI",  "UFO",
    "UK",  "UN",   "URI", "URL",  "US",   "USA", "USB",  "UTC", "UV",  "UX",  "VAT", "VIP",  "YMCA"};

bool IsVowel(char c) { return std::string_view("AEIOUY").find(c) != std::string_view::npos; }

bool IsSpelt(std::string_view capitals) {
  if (capitals.size() > 5) return false;
  if (std::none_of(capitals.begin(), capitals.end(), IsVowel)) return true;
  return std::find(std::begin(kSpelt), std::end(kSpelt), capitals) != std::end(kSpelt);
}

// One run without a change from small to capital letters.
void SayRun(std::string_view run, SpokenWriter& out) {
  std::string_view capitals = run;
  if (capitals.size() > 2 && capitals.back() == 's') capitals.remove_suffix(1);  // CPUs
  const bool all_capitals = std::all_of(capitals.begin(), capitals.end(), IsUpper);
  if (all_capitals && capitals.size() > 1 && IsSpelt(capitals)) {
    out.Spell(run);
  } else if (run.size() == 1 && run != "a" && (run != "A" || !out.AtSentenceStart())) {
    out.Letter(run[0]);
  } else {
    out.Words(ToLower(run));
  }
}

}  // namespace

void SayWord(std::string_view word, SpokenWriter& out) {
  while (!word.empty() && word.front() == '\'') word.remove_prefix(1);
  while (!word.empty() && word.back() == '\'') word.remove_suffix(1);
  if (word.empty()) return;
  if (word.find('\'') != std::string_view::npos) return out.Words(ToLower(word));
  const bool scottish = word.substr(0, 2) == "Mc" || word.substr(0, 3) == "Mac";
  size_t begin = 0;
  for (size_t at = 1; at < word.size() && !scottish; at++) {
    if (!IsUpper(word[at - 1]) && IsUpper(word[at])) {
      SayRun(word.substr(begin, at - begin), out);
      begin = at;
    }
  }
  SayRun(word.substr(begin), out);
}

}  // namespace pintle
