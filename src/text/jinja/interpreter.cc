#include "text/jinja/interpreter.h"

#include <algorithm>

#include "text/jinja/builtins.h"

namespace pintle::jinja {
namespace {

using Kind = Value::Kind;
using Scope = std::vector<std::pair<std::string, Value>>;

constexpr int kDeepest = 150;           // nodes inside each other while running, macros included
constexpr size_t kMaxOutput = 8 << 20;  // bytes
constexpr int64_t kMaxRange = 10000;

Error Wrong(const std::string& what) { return ValidationError("a template does what it cannot: " + what); }

// 26 July 2024, midnight.
std::string FixedDate(std::string_view format) {
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    switch (format[++i]) {
      case 'd':
        out += "26";
        break;
      case 'm':
        out += "07";
        break;
      case 'b':
        out += "Jul";
        break;
      case 'B':
        out += "July";
        break;
      case 'Y':
        out += "2024";
        break;
      case 'y':
        out += "24";
        break;
      case 'a':
        out += "Fri";
        break;
      case 'A':
        out += "Friday";
        break;
      case 'H':
      case 'M':
      case 'S':
        out += "00";
        break;
      default:
        out += format[i];
    }
  }
  return out;
}

class Interpreter {
 public:
  Interpreter(const Tree& tree, Scope variables) : tree_(&tree) { scopes_.push_back(std::move(variables)); }

  Result<Text> Run() {
    PINTLE_RETURN_IF_ERROR(Execute(tree_->root));
    return std::move(out_);
  }

 private:
  enum class Flow : uint8_t { kOn, kBreak, kContinue };

  struct Deeper {
    explicit Deeper(int& depth) : depth_(depth) { ++depth_; }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    int& depth_;
  };

  Status Step() {
    if (depth_ > kDeepest) return Wrong("it is nested too deep");
    return budget_.Spend(1, 0);
  }
  [[nodiscard]] const Node& At(int32_t id) const { return tree_->nodes[static_cast<size_t>(id)]; }

  // Variables: the innermost scope first, down to the macro's own; then those of the whole template.
  [[nodiscard]] const Value* Find(std::string_view name) const {
    for (size_t i = scopes_.size(); i-- > 0;) {
      if (i < bottom_ && i > 0) continue;
      for (const auto& [known, value] : scopes_[i]) {
        if (known == name) return &value;
      }
    }
    return nullptr;
  }
  void Assign(const std::string& name, Value value) {
    for (auto& [known, old] : scopes_.back()) {
      if (known != name) continue;
      old = std::move(value);
      return;
    }
    scopes_.back().emplace_back(name, std::move(value));
  }

  Status Write(const Text& text) {
    if (out_.bytes.size() + text.bytes.size() > kMaxOutput) return Wrong("it writes too much");
    PINTLE_RETURN_IF_ERROR(budget_.Spend(0, 2 * text.bytes.size()));
    out_.Append(text);
    return {};
  }

  Result<Flow> Execute(int32_t id) {
    const Deeper deeper(depth_);
    PINTLE_RETURN_IF_ERROR(Step());
    const Node& node = At(id);
    switch (node.kind) {
      case Node::Kind::kBlock:
        for (const int32_t kid : node.kids) {
          PINTLE_ASSIGN(const Flow flow, Execute(kid));
          if (flow != Flow::kOn) return flow;
        }
        return Flow::kOn;
      case Node::Kind::kOutput: {
        PINTLE_ASSIGN(const Value value, Evaluate(node.kids[0]));
        PINTLE_ASSIGN(const Text text, ToText(value, budget_));
        PINTLE_RETURN_IF_ERROR(Write(text));
        return Flow::kOn;
      }
      case Node::Kind::kIf:
        for (size_t i = 0; i + 1 < node.kids.size(); i += 2) {
          PINTLE_ASSIGN(const Value condition, Evaluate(node.kids[i]));
          if (condition.Truth()) return Execute(node.kids[i + 1]);
        }
        if (node.kids.size() % 2 == 1) return Execute(node.kids.back());
        return Flow::kOn;
      case Node::Kind::kFor:
        return For(node);
      case Node::Kind::kSet: {
        PINTLE_ASSIGN(Value value, Evaluate(node.kids[0]));
        PINTLE_RETURN_IF_ERROR(Set(node, std::move(value)));
        return Flow::kOn;
      }
      case Node::Kind::kSetBlock: {
        PINTLE_ASSIGN(Text text, Captured(node.kids[0]));
        PINTLE_RETURN_IF_ERROR(Set(node, Value::Of(std::move(text))));
        return Flow::kOn;
      }
      case Node::Kind::kMacro: {
        Value macro;
        macro.kind = Kind::kMacro;
        macro.integer = id;
        Assign(node.text, std::move(macro));
        return Flow::kOn;
      }
      case Node::Kind::kBreak:
        return Flow::kBreak;
      case Node::Kind::kContinue:
        return Flow::kContinue;
      default:
        return Wrong("an expression stands where a statement should");
    }
  }

  // What a block writes.
  Result<Text> Captured(int32_t block) {
    Text before = std::exchange(out_, Text());
    const auto flow = Execute(block);
    std::swap(before, out_);
    if (!flow.ok()) return flow.error();
    return before;
  }

  Status Set(const Node& node, Value value) {
    if (!node.text.empty()) {
      const Value* target = Find(node.names[0]);
      if (target == nullptr || !target->Is(Kind::kNamespace))
        return Wrong("only namespaces have parts that can be set");
      if (value.Is(Kind::kNamespace)) return Wrong("a namespace inside another");
      for (auto& [known, old] : *target->members) {
        if (known != node.text) continue;
        old = std::move(value);
        return {};
      }
      target->members->emplace_back(node.text, std::move(value));
      return {};
    }
    if (node.names.size() == 1) {
      Assign(node.names[0], std::move(value));
      return {};
    }
    return Unpack(node.names, value);
  }

  Status Unpack(const std::vector<std::string>& names, const Value& value) {
    PINTLE_ASSIGN(List items, Items(value, budget_));
    if (items.size() != names.size()) return Wrong("as many names as values are needed");
    for (size_t i = 0; i < names.size(); ++i) Assign(names[i], std::move(items[i]));
    return {};
  }

  Result<Flow> For(const Node& node) {
    PINTLE_ASSIGN(const Value list, Evaluate(node.kids[0]));
    PINTLE_ASSIGN(List items, Items(list, budget_));
    scopes_.emplace_back();
    const size_t scope = scopes_.size();
    const auto status = Loop(node, items);
    scopes_.resize(scope - 1);
    if (!status.ok()) return status.error();
    if (items.empty() && node.kids[3] >= 0) return Execute(node.kids[3]);
    return Flow::kOn;
  }

  Status Loop(const Node& node, List& items) {
    const auto name_item = [&](const Value& item) -> Status {
      scopes_.back().clear();
      if (node.names.size() > 1) return Unpack(node.names, item);
      Assign(node.names[0], item);
      return {};
    };
    if (node.kids[1] >= 0) {
      List kept;
      for (Value& item : items) {
        PINTLE_RETURN_IF_ERROR(name_item(item));
        PINTLE_ASSIGN(const Value wanted, Evaluate(node.kids[1]));
        if (wanted.Truth()) kept.push_back(std::move(item));
      }
      items = std::move(kept);
    }
    const auto count = static_cast<int64_t>(items.size());
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      PINTLE_RETURN_IF_ERROR(name_item(items[at]));
      Assign("loop", Value::Of(Members{{"index", Value::Of(i + 1)},
                                       {"index0", Value::Of(i)},
                                       {"revindex", Value::Of(count - i)},
                                       {"revindex0", Value::Of(count - i - 1)},
                                       {"first", Value::Of(i == 0)},
                                       {"last", Value::Of(i + 1 == count)},
                                       {"length", Value::Of(count)},
                                       {"previtem", i > 0 ? items[at - 1] : Value()},
                                       {"nextitem", i + 1 < count ? items[at + 1] : Value()}}));
      PINTLE_ASSIGN(const Flow flow, Execute(node.kids[2]));
      if (flow == Flow::kBreak) break;
    }
    return {};
  }

  Result<Value> Evaluate(int32_t id) {
    const Deeper deeper(depth_);
    PINTLE_RETURN_IF_ERROR(Step());
    const Node& node = At(id);
    switch (node.kind) {
      case Node::Kind::kConstant:
        return node.constant;
      case Node::Kind::kName: {
        if (const Value* found = Find(node.text); found != nullptr) return *found;
        return Function(node.text);
      }
      case Node::Kind::kList: {
        List list;
        for (const int32_t kid : node.kids) {
          PINTLE_ASSIGN(Value item, Stored(kid));
          list.push_back(std::move(item));
        }
        return Value::Of(std::move(list));
      }
      case Node::Kind::kObject: {
        Members members;
        for (size_t i = 0; i < node.kids.size(); i += 2) {
          PINTLE_ASSIGN(const Value key, Evaluate(node.kids[i]));
          if (!key.Is(Kind::kText)) return Wrong("a key that is no text");
          PINTLE_ASSIGN(Value item, Stored(node.kids[i + 1]));
          members.emplace_back(key.text->bytes, std::move(item));
        }
        return Value::Of(std::move(members));
      }
      case Node::Kind::kAttribute: {
        PINTLE_ASSIGN(const Value value, Evaluate(node.kids[0]));
        return Part(value, node.text);
      }
      case Node::Kind::kIndex: {
        PINTLE_ASSIGN(const Value value, Evaluate(node.kids[0]));
        PINTLE_ASSIGN(const Value index, Evaluate(node.kids[1]));
        return jinja::At(value, index);
      }
      case Node::Kind::kSlice:
        return SliceOf(node);
      case Node::Kind::kCall:
        return Call(node);
      case Node::Kind::kFilter: {
        PINTLE_ASSIGN(const Value value, Evaluate(node.kids[0]));
        PINTLE_ASSIGN(const Arguments arguments, Given(node));
        return ApplyFilter(node.text, value, arguments, budget_);
      }
      case Node::Kind::kTest: {
        PINTLE_ASSIGN(const Value value, Evaluate(node.kids[0]));
        PINTLE_ASSIGN(const Arguments arguments, Given(node));
        PINTLE_ASSIGN(const bool holds, ApplyTest(node.text, value, arguments, budget_));
        return Value::Of(holds);
      }
      case Node::Kind::kNot: {
        PINTLE_ASSIGN(const Value value, Evaluate(node.kids[0]));
        return Value::Of(!value.Truth());
      }
      case Node::Kind::kNegative: {
        PINTLE_ASSIGN(const Value value, Evaluate(node.kids[0]));
        if (value.Is(Kind::kReal)) return Value::Of(-value.real);
        if (!value.IsNumber() || value.integer == INT64_MIN) return Wrong("minus of what is no number");
        return Value::Of(-value.integer);
      }
      case Node::Kind::kConditional: {
        PINTLE_ASSIGN(const Value condition, Evaluate(node.kids[1]));
        if (condition.Truth()) return Evaluate(node.kids[0]);
        return node.kids[2] >= 0 ? Evaluate(node.kids[2]) : Value();
      }
      case Node::Kind::kBinary:
        return Binary(node);
      default:
        return Wrong("a statement stands where an expression should");
    }
  }

  // A value that goes into a list or object.
  Result<Value> Stored(int32_t id) {
    PINTLE_ASSIGN(Value value, Evaluate(id));
    if (value.Is(Kind::kNamespace)) return Wrong("a namespace inside a value");
    PINTLE_RETURN_IF_ERROR(budget_.Spend(0, sizeof(Value)));
    return value;
  }

  static Result<Value> Function(const std::string& name) {
    for (const std::string_view known : {"range", "namespace", "dict", "raise_exception", "strftime_now"}) {
      if (name != known) continue;
      Value function;
      function.kind = Kind::kFunction;
      function.text = std::make_shared<const Text>(name, true);
      return function;
    }
    return Value();
  }

  static Result<Value> Part(const Value& value, const std::string& name) {
    if (const Value* found = value.Find(name); found != nullptr) return *found;
    if (!HasMethod(value, name)) return Value();
    Value method;
    method.kind = Kind::kMethod;
    method.text = std::make_shared<const Text>(name, true);
    method.list = std::make_shared<const List>(List{value});
    return method;
  }

  Result<Value> SliceOf(const Node& node) {
    PINTLE_ASSIGN(const Value value, Evaluate(node.kids[0]));
    std::optional<int64_t> parts[3];
    for (size_t i = 0; i < 3; ++i) {
      if (node.kids[i + 1] < 0) continue;
      PINTLE_ASSIGN(const Value part, Evaluate(node.kids[i + 1]));
      if (part.Is(Kind::kNone)) continue;
      if (!part.Is(Kind::kInteger)) return Wrong("a slice by what is no number");
      parts[i] = std::clamp<int64_t>(part.integer, -(int64_t{1} << 40), int64_t{1} << 40);
    }
    return Slice(value, parts[0], parts[1], parts[2], budget_);
  }

  // The arguments of a call, filter or test: kids behind the first.
  Result<Arguments> Given(const Node& node) {
    Arguments arguments;
    for (size_t i = 1; i < node.kids.size(); ++i) {
      PINTLE_ASSIGN(Value value, Evaluate(node.kids[i]));
      if (node.names[i - 1].empty())
        arguments.values.push_back(std::move(value));
      else
        arguments.named.emplace_back(node.names[i - 1], std::move(value));
    }
    return arguments;
  }

  Result<Value> Call(const Node& node) {
    PINTLE_ASSIGN(const Value target, Evaluate(node.kids[0]));
    PINTLE_ASSIGN(const Arguments arguments, Given(node));
    if (target.Is(Kind::kMacro)) return CallMacro(At(static_cast<int32_t>(target.integer)), arguments);
    if (target.Is(Kind::kMethod)) return CallMethod(target.list->front(), target.text->bytes, arguments, budget_);
    if (!target.Is(Kind::kFunction)) return Wrong("a call of what is no function");
    const std::string& name = target.text->bytes;
    if (name == "namespace" || name == "dict") {
      for (const auto& [key, value] : arguments.named) {
        if (value.Is(Kind::kNamespace)) return Wrong("a namespace inside a value");
      }
      Value made = Value::Of(Members(arguments.named));
      if (name == "namespace") made.kind = Kind::kNamespace;
      return made;
    }
    if (name == "range") return Range(arguments);
    const Value* text = arguments.Get(0, "");
    if (text == nullptr || !text->Is(Kind::kText)) return Wrong(name + " without a text");
    if (name == "raise_exception") return ValidationError(text->text->bytes, "the model's template");
    return Value::Of(Text(FixedDate(text->text->bytes), true));
  }

  Result<Value> Range(const Arguments& arguments) {
    int64_t parts[3] = {0, 0, 1};
    const size_t count = arguments.values.size();
    for (size_t i = 0; i < count && count <= 3; ++i) {
      if (!arguments.values[i].Is(Kind::kInteger)) return Wrong("a range of what is no number");
      parts[count == 1 ? 1 : i] = std::clamp<int64_t>(arguments.values[i].integer, -kMaxRange, kMaxRange);
    }
    if (count < 1 || count > 3 || parts[2] == 0) return Wrong("a range without a step or an end");
    List list;
    for (int64_t i = parts[0]; parts[2] > 0 ? i < parts[1] : i > parts[1]; i += parts[2]) list.push_back(Value::Of(i));
    PINTLE_RETURN_IF_ERROR(budget_.Spend(static_cast<int64_t>(list.size()), list.size() * sizeof(Value)));
    return Value::Of(std::move(list));
  }

  Result<Value> CallMacro(const Node& macro, const Arguments& arguments) {
    Scope scope;
    for (size_t i = 0; i < macro.names.size(); ++i) {
      if (const Value* given = arguments.Get(i, macro.names[i]); given != nullptr) {
        scope.emplace_back(macro.names[i], *given);
      } else if (macro.kids[i] >= 0) {
        PINTLE_ASSIGN(Value value, Evaluate(macro.kids[i]));
        scope.emplace_back(macro.names[i], std::move(value));
      } else {
        scope.emplace_back(macro.names[i], Value());
      }
    }
    const size_t bottom = std::exchange(bottom_, scopes_.size());
    scopes_.push_back(std::move(scope));
    auto text = Captured(macro.kids.back());
    scopes_.resize(bottom_);
    bottom_ = bottom;
    if (!text.ok()) return text.error();
    return Value::Of(std::move(*text));
  }

  Result<Value> Binary(const Node& node) {
    PINTLE_ASSIGN(const Value left, Evaluate(node.kids[0]));
    const std::string& sign = node.text;
    if (sign == "and" && !left.Truth()) return left;
    if (sign == "or" && left.Truth()) return left;
    PINTLE_ASSIGN(const Value right, Evaluate(node.kids[1]));
    if (sign == "and" || sign == "or") return right;
    if (sign == "==" || sign == "!=") {
      PINTLE_ASSIGN(const bool same, Equal(left, right, budget_));
      return Value::Of(same == (sign == "=="));
    }
    if (sign == "in") {
      PINTLE_ASSIGN(const bool holds, Contains(left, right, budget_));
      return Value::Of(holds);
    }
    const bool texts = left.Is(Kind::kText) && right.Is(Kind::kText);
    if (sign == "~" || (sign == "+" && texts)) {
      PINTLE_ASSIGN(Text text, ToText(left, budget_));
      PINTLE_ASSIGN(const Text more, ToText(right, budget_));
      PINTLE_RETURN_IF_ERROR(budget_.Spend(0, 2 * (text.bytes.size() + more.bytes.size())));
      text.Append(more);
      return Value::Of(std::move(text));
    }
    if (sign == "+" && left.Is(Kind::kList) && right.Is(Kind::kList)) {
      List list = *left.list;
      list.insert(list.end(), right.list->begin(), right.list->end());
      PINTLE_RETURN_IF_ERROR(budget_.Spend(static_cast<int64_t>(list.size()), list.size() * sizeof(Value)));
      return Value::Of(std::move(list));
    }
    if (sign == "<" || sign == ">" || sign == "<=" || sign == ">=") {
      if (!texts && !(left.IsNumber() && right.IsNumber())) return Wrong("a comparison of what has no order");
      const int order = texts ? left.text->bytes.compare(right.text->bytes)
                              : (left.Number() > right.Number()) - (left.Number() < right.Number());
      return Value::Of(sign == "<" ? order < 0 : sign == ">" ? order > 0 : sign == "<=" ? order <= 0 : order >= 0);
    }
    return Arithmetic(sign, left, right);
  }

  static Result<Value> Arithmetic(const std::string& sign, const Value& left, const Value& right) {
    if (!left.IsNumber() || !right.IsNumber()) return Wrong("'" + sign + "' of what are no numbers");
    const bool divides = sign == "/" || sign == "//" || sign == "%";
    if (divides && right.Number() == 0) return Wrong("a division by zero");
    if (left.Is(Kind::kReal) || right.Is(Kind::kReal) || sign == "/") {
      const double a = left.Number(), b = right.Number();
      if (sign == "+") return Value::Of(a + b);
      if (sign == "-") return Value::Of(a - b);
      if (sign == "*") return Value::Of(a * b);
      if (sign == "/") return Value::Of(a / b);
      return Wrong("'" + sign + "' of what are no whole numbers");
    }
    const int64_t a = left.integer, b = right.integer;
    int64_t result = 0;
    const bool fits = sign == "+"   ? !__builtin_add_overflow(a, b, &result)
                      : sign == "-" ? !__builtin_sub_overflow(a, b, &result)
                      : sign == "*" ? !__builtin_mul_overflow(a, b, &result)
                                    : !(a == INT64_MIN && b == -1);
    if (!fits) return Wrong("a number that is too large");
    if (!divides) return Value::Of(result);
    // As Python: rounded down.
    const int64_t quotient = a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
    return Value::Of(sign == "//" ? quotient : a - quotient * b);
  }

  const Tree* tree_;
  std::vector<Scope> scopes_;  // 0: the template's
  size_t bottom_ = 0;          // the scope of the macro that runs
  Budget budget_;
  Text out_;
  int depth_ = 0;
};

}  // namespace

Result<Text> Render(const Tree& tree, std::vector<std::pair<std::string, Value>> variables) {
  return Interpreter(tree, std::move(variables)).Run();
}

}  // namespace pintle::jinja
