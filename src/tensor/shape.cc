#include "tensor/shape.h"

#include "base/check.h"

namespace pintle {

Shape::Shape(std::initializer_list<int64_t> extents) {
  PINTLE_CHECK(extents.size() <= static_cast<size_t>(kMaxRank), "a shape has at most four extents");
  for (const int64_t extent : extents) {
    PINTLE_CHECK(extent >= 0, "extents are not negative");
    extents_[static_cast<size_t>(rank_++)] = extent;
  }
}

int64_t Shape::Count() const {
  int64_t count = 1;
  for (int i = 0; i < rank_; ++i) count *= (*this)[i];
  return count;
}

int64_t Shape::Rows() const {
  int64_t rows = 1;
  for (int i = 0; i + 1 < rank_; ++i) rows *= (*this)[i];
  return rows;
}

Shape Shape::WithLeading(int64_t leading) const {
  PINTLE_CHECK(rank_ > 0 && leading >= 0, "a leading extent needs a rank of at least 1");
  Shape result = *this;
  result.extents_[0] = leading;
  return result;
}

std::string Shape::ToString() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) text += (i > 0 ? ", " : "") + std::to_string((*this)[i]);
  return text + "]";
}

}  // namespace pintle
