#include "formats/torch_pickle.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "formats/half.h"
#include "formats/zip_stored.h"

namespace pintle {
namespace {

// Far above any real checkpoint.
constexpr size_t kMaxValues = 2'000'000;
constexpr int kMaxDepth = 32;
constexpr size_t kMaxKey = 256, kMaxVisits = 1'000'000;
constexpr int64_t kMaxElements = int64_t{1} << 40;

enum class Kind : uint8_t { kNone, kNumber, kText, kMark, kTuple, kDict, kGlobal, kStorage, kTensor, kOther };

// A value of the pickle's little machine; items are indices of other values.
struct Value {
  Kind kind = Kind::kNone;
  int64_t number = 0;
  std::string text;             // kText, kGlobal: "module name", kStorage: the entry's key
  std::vector<uint32_t> items;  // kTuple; kDict: key, value, key, value, ...; kTensor: storage
  FileDtype dtype = FileDtype::kF32;
  std::vector<int64_t> shape;
};

std::optional<FileDtype> StorageDtype(const std::string& global) {
  static const std::map<std::string, FileDtype> known = {
      {"torch FloatStorage", FileDtype::kF32}, {"torch DoubleStorage", FileDtype::kF64},
      {"torch HalfStorage", FileDtype::kF16},  {"torch BFloat16Storage", FileDtype::kBF16},
      {"torch LongStorage", FileDtype::kI64},  {"torch IntStorage", FileDtype::kI32},
      {"torch ShortStorage", FileDtype::kI16}, {"torch CharStorage", FileDtype::kI8},
      {"torch ByteStorage", FileDtype::kU8},   {"torch BoolStorage", FileDtype::kBool}};
  const auto found = known.find(global);
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

class Machine {
 public:
  Machine(std::string_view program, const std::string& where) : program_(program), where_(where) {}

  // The number of the result in values().
  Result<uint32_t> Run() {
    while (true) {
      const auto op = static_cast<unsigned char>(Byte());
      if (failed_) return Fail("ends early");
      if (op == '.') {
        const uint32_t top = Pop();
        return failed_ ? Result<uint32_t>(Fail("is malformed")) : Result<uint32_t>(top);
      }
      Step(op);
      if (!refused_.empty()) return Fail(refused_);
      if (failed_) return Fail("is malformed");
      if (values_.size() > kMaxValues) return Fail("is too large");
    }
  }
  [[nodiscard]] const Value& at(uint32_t index) const { return values_[index]; }

 private:
  [[nodiscard]] Error Fail(const std::string& what) const { return ValidationError("the pickle " + what, where_); }

  char Byte() {
    if (position_ >= program_.size()) {
      failed_ = true;
      return 0;
    }
    return program_[position_++];
  }
  uint64_t Number(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= uint64_t{static_cast<unsigned char>(Byte())} << (8 * i);
    return value;
  }
  std::string Text(uint64_t size) {
    if (program_.size() - position_ < size) {
      failed_ = true;
      return {};
    }
    position_ += size;
    return std::string(program_.substr(position_ - size, size));
  }
  std::string Line() {
    const size_t end = program_.find('\n', position_);
    if (end == std::string_view::npos) {
      failed_ = true;
      return {};
    }
    std::string text(program_.substr(position_, end - position_));
    position_ = end + 1;
    return text;
  }

  void Push(Value value) {
    stack_.push_back(static_cast<uint32_t>(values_.size()));
    values_.push_back(std::move(value));
  }
  void PushKind(Kind kind, int64_t number = 0) {
    Value value;
    value.kind = kind;
    value.number = number;
    Push(std::move(value));
  }
  void PushText(std::string text) {
    Value value;
    value.kind = Kind::kText;
    value.text = std::move(text);
    Push(std::move(value));
  }
  uint32_t Pop() {
    if (stack_.empty() || values_[stack_.back()].kind == Kind::kMark) {
      failed_ = true;
      return 0;
    }
    const uint32_t top = stack_.back();
    stack_.pop_back();
    return top;
  }
  // Everything above the last mark, which goes too.
  std::vector<uint32_t> PopToMark() {
    std::vector<uint32_t> items;
    while (!stack_.empty() && values_[stack_.back()].kind != Kind::kMark) {
      items.push_back(stack_.back());
      stack_.pop_back();
    }
    if (stack_.empty()) {
      failed_ = true;
    } else {
      stack_.pop_back();
    }
    std::reverse(items.begin(), items.end());
    return items;
  }
  Value* Top() {
    if (stack_.empty() || values_[stack_.back()].kind == Kind::kMark) {
      failed_ = true;
      return nullptr;
    }
    return &values_[stack_.back()];
  }
  void PushTuple(std::vector<uint32_t> items) {
    Value value;
    value.kind = Kind::kTuple;
    value.items = std::move(items);
    Push(std::move(value));
  }
  void PushTupleOf(int count) {
    std::vector<uint32_t> items(static_cast<size_t>(count));
    for (int i = count - 1; i >= 0; --i) items[static_cast<size_t>(i)] = Pop();
    PushTuple(std::move(items));
  }
  void Remember(uint64_t key) {
    if (Top() != nullptr) memo_[key] = stack_.back();
  }
  void Recall(uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) {
      failed_ = true;
    } else {
      stack_.push_back(found->second);
    }
  }
  void SetItems(std::vector<uint32_t> items) {
    Value* target = Top();
    if (target == nullptr || items.size() % 2 != 0) {
      failed_ = true;
    } else if (target->kind == Kind::kDict) {
      target->items.insert(target->items.end(), items.begin(), items.end());
    } else if (target->kind != Kind::kOther) {
      failed_ = true;
    }
  }
  void Long(uint64_t size) {
    const std::string bytes = Text(size);
    uint64_t value = 0;
    for (size_t i = 0; i < std::min<size_t>(8, bytes.size()); ++i) {
      value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    // Sign extension of short numbers; longer ones than 64 bits are no sizes.
    if (size > 0 && size < 8 && (bytes.back() & 0x80) != 0) value |= ~uint64_t{0} << (8 * size);
    PushKind(size > 8 ? Kind::kOther : Kind::kNumber, static_cast<int64_t>(value));
  }

  void Global(const std::string& name) {
    static const char* const kAllowed[] = {"collections OrderedDict", "torch._utils _rebuild_tensor_v2",
                                           "torch._utils _rebuild_parameter", "torch Size"};
    const bool known = std::any_of(std::begin(kAllowed), std::end(kAllowed), [&](const char* a) { return name == a; });
    if (!known && !StorageDtype(name)) {
      refused_ = "names '" + name.substr(0, 80) + "', which is no tensor";
      return;
    }
    Value value;
    value.kind = Kind::kGlobal;
    value.text = name;
    Push(std::move(value));
  }
  // ('storage', type, key, location, elements)
  void Persistent() {
    const uint32_t at = Pop();
    if (failed_) return;
    const Value& id = values_[at];
    if (id.kind != Kind::kTuple || id.items.size() != 5 || values_[id.items[0]].text != "storage" ||
        values_[id.items[1]].kind != Kind::kGlobal || values_[id.items[2]].kind != Kind::kText) {
      failed_ = true;
      return;
    }
    const auto dtype = StorageDtype(values_[id.items[1]].text);
    if (!dtype) {
      failed_ = true;
      return;
    }
    Value storage;
    storage.kind = Kind::kStorage;
    storage.text = values_[id.items[2]].text;
    storage.dtype = *dtype;
    Push(std::move(storage));
  }
  void Reduce() {
    const uint32_t arguments_at = Pop(), function_at = Pop();
    if (failed_) return;
    const Value& arguments = values_[arguments_at];
    const Value& function = values_[function_at];
    if (function.kind != Kind::kGlobal || arguments.kind != Kind::kTuple) {
      failed_ = true;
    } else if (function.text == "collections OrderedDict") {
      PushKind(arguments.items.empty() ? Kind::kDict : Kind::kOther);
    } else if (function.text == "torch._utils _rebuild_tensor_v2") {
      RebuildTensor(arguments.items);
    } else if (function.text == "torch._utils _rebuild_parameter" && !arguments.items.empty()) {
      stack_.push_back(arguments.items[0]);
    } else if (function.text == "torch Size") {
      PushKind(Kind::kOther);
    } else {
      failed_ = true;
    }
  }
  // (storage, offset, size, stride, ...)
  void RebuildTensor(const std::vector<uint32_t>& arguments) {
    if (arguments.size() < 4 || values_[arguments[0]].kind != Kind::kStorage ||
        values_[arguments[1]].kind != Kind::kNumber || values_[arguments[2]].kind != Kind::kTuple ||
        values_[arguments[3]].kind != Kind::kTuple) {
      failed_ = true;
      return;
    }
    const std::vector<uint32_t> sizes = values_[arguments[2]].items, strides = values_[arguments[3]].items;
    Value tensor;
    tensor.kind = Kind::kTensor;
    tensor.number = values_[arguments[1]].number;
    tensor.items = {arguments[0]};
    tensor.dtype = values_[arguments[0]].dtype;
    int64_t count = 1;
    bool fits =
        sizes.size() == strides.size() && sizes.size() <= 8 && tensor.number >= 0 && tensor.number <= kMaxElements;
    for (size_t i = sizes.size(); fits && i-- > 0;) {
      const Value &size = values_[sizes[i]], &stride = values_[strides[i]];
      fits = size.kind == Kind::kNumber && stride.kind == Kind::kNumber && size.number >= 0 &&
             size.number <= kMaxElements / std::max<int64_t>(1, count);
      if (fits && size.number > 1 && stride.number != count) {
        refused_ = "holds a tensor that is not in row-major order";
        return;
      }
      if (fits) count *= size.number;
      tensor.shape.insert(tensor.shape.begin(), size.number);
    }
    if (!fits) {
      failed_ = true;
      return;
    }
    Push(std::move(tensor));
  }

  // clang-format off: one operation a line
  void Step(unsigned char op) {
    switch (op) {
      case 0x80: Byte(); break;                                                           // PROTO
      case 0x95: Number(8); break;                                                        // FRAME
      case '}': PushKind(Kind::kDict); break;                                             // EMPTY_DICT
      case ']': PushKind(Kind::kOther); break;                                            // EMPTY_LIST
      case ')': PushTuple({}); break;                                                     // EMPTY_TUPLE
      case '(': PushKind(Kind::kMark); break;                                             // MARK
      case 'N': PushKind(Kind::kNone); break;                                             // NONE
      case 0x88: PushKind(Kind::kNumber, 1); break;                                       // NEWTRUE
      case 0x89: PushKind(Kind::kNumber, 0); break;                                       // NEWFALSE
      case 'K': PushKind(Kind::kNumber, static_cast<int64_t>(Number(1))); break;          // BININT1
      case 'M': PushKind(Kind::kNumber, static_cast<int64_t>(Number(2))); break;          // BININT2
      case 'J': PushKind(Kind::kNumber, static_cast<int32_t>(Number(4))); break;          // BININT
      case 0x8a: Long(Number(1)); break;                                                  // LONG1
      case 'G': Number(8), PushKind(Kind::kOther); break;                                 // BINFLOAT
      case 'X': PushText(Text(Number(4))); break;                                         // BINUNICODE
      case 0x8c: PushText(Text(Number(1))); break;                                        // SHORT_BINUNICODE
      case 'c': {                                                                         // GLOBAL
        const std::string module = Line(), name = Line();
        if (!failed_) Global(module + " " + name);
        break;
      }
      case 0x93: {  // STACK_GLOBAL
        const uint32_t name = Pop(), module = Pop();
        if (!failed_) Global(values_[module].text + " " + values_[name].text);
        break;
      }
      case 'q': Remember(Number(1)); break;                                               // BINPUT
      case 'r': Remember(Number(4)); break;                                               // LONG_BINPUT
      case 0x94: Remember(memo_.size()); break;                                           // MEMOIZE
      case 'h': Recall(Number(1)); break;                                                 // BINGET
      case 'j': Recall(Number(4)); break;                                                 // LONG_BINGET
      case 't': PushTuple(PopToMark()); break;                                            // TUPLE
      case 0x85: PushTupleOf(1); break;                                                   // TUPLE1
      case 0x86: PushTupleOf(2); break;                                                   // TUPLE2
      case 0x87: PushTupleOf(3); break;                                                   // TUPLE3
      case 'Q': Persistent(); break;                                                      // BINPERSID
      case 'R': Reduce(); break;                                                          // REDUCE
      case 's': {                                                                         // SETITEM
        const uint32_t value = Pop(), key = Pop();
        if (!failed_) SetItems({key, value});
        break;
      }
      case 'u': SetItems(PopToMark()); break;                                             // SETITEMS
      case 'a': Pop(), Top(); break;                                                      // APPEND
      case 'e': PopToMark(), Top(); break;                                                // APPENDS
      case 'b': Pop(), Top(); break;                                                      // BUILD: attributes, not data
      default: refused_ = "has operation " + std::to_string(op) + ", which no dictionary of tensors needs";
    }
  }
  // clang-format on

  std::string_view program_;
  const std::string& where_;
  size_t position_ = 0;
  bool failed_ = false;
  std::string refused_;
  std::vector<Value> values_;
  std::vector<uint32_t> stack_;
  std::map<uint64_t, uint32_t> memo_;
};

// Walks dictionaries; tensors get their bytes. A dictionary may hold itself, so depth and visits are bounded.
class Collector {
 public:
  Collector(const Machine& machine, const std::map<std::string, std::string_view>& entries, const std::string& root,
            const std::string& where)
      : machine_(machine), entries_(entries), root_(root), where_(where) {}

  Status Walk(uint32_t index, const std::string& prefix, int depth) {
    const Value& value = machine_.at(index);
    if (++visits_ > kMaxVisits || depth > kMaxDepth) return ValidationError("the pickle nests too deeply", where_);
    if (value.kind == Kind::kTensor) return Take(value, prefix);
    if (value.kind != Kind::kDict) return {};
    for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
      const Value& key = machine_.at(value.items[i]);
      if (key.kind != Kind::kText) continue;
      if (key.text.size() > kMaxKey) return ValidationError("a name is too long", where_);
      PINTLE_RETURN_IF_ERROR(Walk(value.items[i + 1], prefix.empty() ? key.text : prefix + "." + key.text, depth + 1));
    }
    return {};
  }

  std::vector<TorchTensor> tensors;

 private:
  Status Take(const Value& value, const std::string& name) {
    TorchTensor tensor = {name, value.dtype, value.shape, {}};
    int64_t count = 1;
    for (const int64_t extent : value.shape) count *= extent;
    const auto entry = entries_.find(root_ + "data/" + machine_.at(value.items[0]).text);
    if (entry == entries_.end()) return ValidationError("the data of '" + name + "' are missing", where_);
    const auto element = static_cast<uint64_t>(FileDtypeSize(value.dtype));
    const uint64_t begin = static_cast<uint64_t>(value.number) * element, size = static_cast<uint64_t>(count) * element;
    if (begin > entry->second.size() || entry->second.size() - begin < size) {
      return ValidationError("the data of '" + name + "' are cut short", where_);
    }
    tensor.data = entry->second.substr(begin, size);
    tensors.push_back(std::move(tensor));
    return {};
  }

  const Machine& machine_;
  const std::map<std::string, std::string_view>& entries_;
  const std::string& root_;
  const std::string& where_;
  size_t visits_ = 0;
};

}  // namespace

Result<std::vector<TorchTensor>> ParseTorchArchive(std::string_view bytes, const std::string& where) {
  PINTLE_ASSIGN(const auto entries, ReadStoredZip(bytes, where));
  // Everything stands in one folder of the archive, whose name is free.
  std::string root;
  std::string_view program;
  for (const auto& [name, content] : entries) {
    if (name != "data.pkl" && !name.ends_with("/data.pkl")) continue;
    if (program.data() != nullptr) return ValidationError("there are two files data.pkl", where);
    root = name.substr(0, name.size() - std::string_view("data.pkl").size());
    program = content;
  }
  if (program.data() == nullptr) return ValidationError("no checkpoint of PyTorch: data.pkl is missing", where);
  const auto order = entries.find(root + "byteorder");
  if (order != entries.end() && order->second != "little") return ValidationError("the data are big endian", where);
  Machine machine(program, where);
  PINTLE_ASSIGN(const uint32_t result, machine.Run());
  Collector collector(machine, entries, root, where);
  PINTLE_RETURN_IF_ERROR(collector.Walk(result, "", 0));
  if (collector.tensors.empty()) return ValidationError("the checkpoint holds no tensors", where);
  return std::move(collector.tensors);
}

Status TorchFloats(const TorchTensor& tensor, float* out, int64_t count) {
  const auto elements = static_cast<int64_t>(tensor.data.size()) / FileDtypeSize(tensor.dtype);
  if (elements != count) {
    return ValidationError("'" + tensor.name + "' has " + std::to_string(elements) + " elements, not " +
                           std::to_string(count));
  }
  const char* from = tensor.data.data();
  switch (tensor.dtype) {
    case FileDtype::kF32:
      std::memcpy(out, from, tensor.data.size());
      return {};
    case FileDtype::kF64:
      for (int64_t i = 0; i < count; ++i) {
        double value;
        std::memcpy(&value, from + 8 * i, 8);
        out[i] = static_cast<float>(value);
      }
      return {};
    case FileDtype::kF16:
    case FileDtype::kBF16:
      for (int64_t i = 0; i < count; ++i) {
        uint16_t bits;
        std::memcpy(&bits, from + 2 * i, 2);
        out[i] = tensor.dtype == FileDtype::kF16 ? FloatOfF16(bits) : FloatOfBF16(bits);
      }
      return {};
    default:
      return ValidationError("'" + tensor.name + "' has type " + std::string(FileDtypeName(tensor.dtype)) +
                             ", which is no floating type");
  }
}

}  // namespace pintle
