// Shape: up to four extents, outermost first. Row-major and contiguous is the only layout, so there are no strides.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace pintle {

/// Up to kMaxRank extents; a value type.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  /// At most kMaxRank extents, each >= 0; anything else is a CHECK.
  Shape(std::initializer_list<int64_t> extents);

  [[nodiscard]] int rank() const { return rank_; }
  /// Extent of dimension i, 0 <= i < rank().
  int64_t operator[](int i) const { return extents_[static_cast<size_t>(i)]; }
  /// Product of all extents; 1 for rank 0.
  [[nodiscard]] int64_t Count() const;
  /// Product of all extents but the last: the rows of the matrix that the kernels see.
  [[nodiscard]] int64_t Rows() const;
  /// The last extent; 1 for rank 0.
  [[nodiscard]] int64_t Columns() const { return rank_ == 0 ? 1 : extents_[static_cast<size_t>(rank_ - 1)]; }
  /// The same shape with another leading extent.
  [[nodiscard]] Shape WithLeading(int64_t leading) const;
  /// "[2, 24, 97]"
  [[nodiscard]] std::string ToString() const;

  friend bool operator==(const Shape& a, const Shape& b) { return a.rank_ == b.rank_ && a.extents_ == b.extents_; }

 private:
  std::array<int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

}  // namespace pintle
