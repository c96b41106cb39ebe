// Clocks. Time stamps stay out of everything that is hashed.
#pragma once

#include <string>

namespace pintle {

/// Seconds of a monotonic clock.
double MonotonicSeconds();
/// UTC as 2026-01-31T12:34:56Z.
std::string UtcTimestamp();
/// "1 h 02 min", "3 min 20 s", "12 s".
std::string HumanDuration(double seconds);
/// "83.0 MB" (decimal units).
std::string HumanBytes(double bytes);
/// Peak resident memory of this process in bytes.
double PeakResidentBytes();
/// Resident memory of this process's own in bytes, now: anonymous pages. Pages of mapped files are the kernel's to take
/// back at any time and are not counted.
double ResidentBytes();

}  // namespace pintle
