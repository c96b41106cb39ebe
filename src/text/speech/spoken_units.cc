#include "text/speech/spoken_units.h"

#include <algorithm>
#include <iterator>

namespace pintle {
namespace {

constexpr SpokenUnit kUnits[] = {
    {"%", "percent", "percent"},
    {"km", "kilometer", "kilometers"},
    {"m", "meter", "meters"},
    {"cm", "centimeter", "centimeters"},
    {"mm", "millimeter", "millimeters"},
    {"um", "micrometer", "micrometers", true},
    {"nm", "nanometer", "nanometers"},
    {"mi", "mile", "miles"},
    {"ft", "foot", "feet"},
    {"in", "inch", "inches", true},
    {"yd", "yard", "yards"},
    {"m^2", "square meter", "square meters"},
    {"km^2", "square kilometer", "square kilometers"},
    {"cm^2", "square centimeter", "square centimeters"},
    {"ft^2", "square foot", "square feet"},
    {"m^3", "cubic meter", "cubic meters"},
    {"kg", "kilogram", "kilograms"},
    {"g", "gram", "grams"},
    {"mg", "milligram", "milligrams"},
    {"lb", "pound", "pounds"},
    {"lbs", "pound", "pounds"},
    {"oz", "ounce", "ounces"},
    {"l", "liter", "liters"},
    {"L", "liter", "liters"},
    {"ml", "milliliter", "milliliters"},
    {"mL", "milliliter", "milliliters"},
    {"km/h", "kilometer per hour", "kilometers per hour"},
    {"m/s", "meter per second", "meters per second"},
    {"mph", "mile per hour", "miles per hour"},
    {"rpm", "revolution per minute", "revolutions per minute"},
    {"fps", "frame per second", "frames per second"},
    {"Hz", "hertz", "hertz"},
    {"kHz", "kilohertz", "kilohertz"},
    {"MHz", "megahertz", "megahertz"},
    {"GHz", "gigahertz", "gigahertz"},
    {"kB", "kilobyte", "kilobytes"},
    {"KB", "kilobyte", "kilobytes"},
    {"MB", "megabyte", "megabytes"},
    {"GB", "gigabyte", "gigabytes"},
    {"TB", "terabyte", "terabytes"},
    {"KiB", "kibibyte", "kibibytes"},
    {"MiB", "mebibyte", "mebibytes"},
    {"GiB", "gibibyte", "gibibytes"},
    {"kbps", "kilobit per second", "kilobits per second"},
    {"Mbps", "megabit per second", "megabits per second"},
    {"Gbps", "gigabit per second", "gigabits per second"},
    {"ns", "nanosecond", "nanoseconds"},
    {"us", "microsecond", "microseconds", true},
    {"ms", "millisecond", "milliseconds"},
    {"s", "second", "seconds"},
    {"sec", "second", "seconds"},
    {"min", "minute", "minutes"},
    {"h", "hour", "hours"},
    {"hr", "hour", "hours"},
    {"hrs", "hour", "hours"},
    {"W", "watt", "watts"},
    {"kW", "kilowatt", "kilowatts"},
    {"MW", "megawatt", "megawatts"},
    {"kWh", "kilowatt hour", "kilowatt hours"},
    {"V", "volt", "volts", true},
    {"mV", "millivolt", "millivolts"},
    {"mA", "milliamp", "milliamps"},
    {"dB", "decibel", "decibels"},
    {"px", "pixel", "pixels"},
    {"kcal", "kilocalorie", "kilocalories"},
    {"deg", "degree", "degrees"},
    {"degC", "degree celsius", "degrees celsius"},
    {"degF", "degree fahrenheit", "degrees fahrenheit"},
    {"EUR", "euro", "euros"},
    {"USD", "dollar", "dollars"},
    {"GBP", "pound", "pounds"},
    {"JPY", "yen", "yen"},
    {"INR", "rupee", "rupees"},
    {"$", "dollar", "dollars", true},
    {"k", "thousand", "thousand", true},
    {"K", "thousand", "thousand", true},
    {"M", "million", "million", true},
    {"B", "billion", "billion", true},
    {"x", "times", "times", true},
};

constexpr SpokenCurrency kCurrencies[] = {
    {"US$", "dollar", "dollars", "cent", "cents"}, {"USD", "dollar", "dollars", "cent", "cents"},
    {"$", "dollar", "dollars", "cent", "cents"},   {"EUR", "euro", "euros", "cent", "cents"},
    {"GBP", "pound", "pounds", "penny", "pence"},  {"JPY", "yen", "yen", "", ""},
    {"INR", "rupee", "rupees", "paisa", "paise"}};

struct Magnitude {
  std::string_view written, spoken;
};
constexpr Magnitude kMagnitudes[] = {{"k", "thousand"},      {"K", "thousand"},        {"m", "million"},
                                     {"M", "million"},       {"b", "billion"},         {"B", "billion"},
                                     {"bn", "billion"},      {"T", "trillion"},        {"tn", "trillion"},
                                     {"hundred", "hundred"}, {"thousand", "thousand"}, {"million", "million"},
                                     {"billion", "billion"}, {"trillion", "trillion"}};

}  // namespace

const SpokenUnit* FindUnit(std::string_view written, bool attached) {
  const SpokenUnit* end = std::end(kUnits);
  const SpokenUnit* found =
      std::find_if(std::begin(kUnits), end, [&](const SpokenUnit& unit) { return unit.written == written; });
  return found == end || (found->attached_only && !attached) ? nullptr : found;
}

std::span<const SpokenCurrency> Currencies() { return kCurrencies; }

std::string_view MagnitudeWord(std::string_view written, bool attached) {
  for (const Magnitude& magnitude : kMagnitudes) {
    if (magnitude.written == written && (attached || written.size() > 2)) return magnitude.spoken;
  }
  return {};
}

}  // namespace pintle
