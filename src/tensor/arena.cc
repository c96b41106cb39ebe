#include "tensor/arena.h"

#include <utility>

#include "base/check.h"

#if defined(__linux__)
#include <sys/mman.h>
#else
#include <cstdlib>
#include <cstring>
#endif

namespace pintle {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

#if defined(__linux__)
// mmap aligns to 4 KiB only, so a little more is reserved and the ends are given back.
char* MapRegion(size_t bytes) {
  const size_t reserved = bytes + kHugePage;
  void* map = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) return nullptr;
  char* start = static_cast<char*>(map);
  const size_t head = (kHugePage - reinterpret_cast<uintptr_t>(start) % kHugePage) % kHugePage;
  if (head > 0) munmap(start, head);
  munmap(start + head + bytes, kHugePage - head);
  madvise(start + head, bytes, MADV_HUGEPAGE);
  return start + head;
}

void UnmapRegion(char* base, size_t bytes) { munmap(base, bytes); }
#else
char* MapRegion(size_t bytes) {
  char* region = static_cast<char*>(std::aligned_alloc(kHugePage, bytes));
  if (region != nullptr) std::memset(region, 0, bytes);
  return region;
}

void UnmapRegion(char* base, size_t /*bytes*/) { std::free(base); }
#endif

}  // namespace

Result<Arena> Arena::Create(size_t bytes) {
  Arena arena;
  if (bytes == 0) return arena;
  const size_t capacity = bytes < SIZE_MAX / 4 ? (bytes + kHugePage - 1) / kHugePage * kHugePage : 0;
  if (capacity == 0 || (arena.base_ = MapRegion(capacity)) == nullptr) {
    return RuntimeError("out of memory: " + std::to_string(bytes >> 20) + " MiB could not be reserved", "",
                        "choose a smaller batch, context or preset");
  }
  arena.capacity_ = capacity;
  return arena;
}

Arena::Arena(Arena&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      used_(std::exchange(other.used_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(capacity_, other.capacity_);
  std::swap(used_, other.used_);
  return *this;
}

Arena::~Arena() {
  if (base_ != nullptr) UnmapRegion(base_, capacity_);
}

void* Arena::Allocate(size_t bytes) {
  const size_t rounded = Rounded(bytes);
  PINTLE_CHECK(rounded >= bytes && rounded <= capacity_ - used_,
               std::to_string(bytes) + " bytes from an arena with " + std::to_string(capacity_ - used_) + " left");
  void* result = base_ + used_;
  used_ += rounded;
  return result;
}

Tensor Arena::AllocateTensor(DType dtype, const Shape& shape) {
  return {dtype, shape, Allocate(static_cast<size_t>(shape.Count() * ElementSize(dtype)))};
}

}  // namespace pintle
