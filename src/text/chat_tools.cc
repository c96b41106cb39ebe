#include "text/chat_tools.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "text/chat_template.h"

namespace pintle {
namespace json = boost::json;
namespace {

constexpr std::string_view kCallEnd = "</tool_call>";
constexpr std::string_view kPython = "<|python_tag|>";
constexpr std::string_view kBlank = " \t\r\n";

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// ParseJson limits the depth, so this may recurse.
void Write(const json::value& value, int indent, int level, std::string& out) {
  const bool object = value.is_object();
  if (!object && !value.is_array()) {
    out += DumpJson(value);
    return;
  }
  const size_t count = object ? value.get_object().size() : value.get_array().size();
  const auto line = [&](int depth) {
    if (indent > 0) out.append(1, '\n').append(static_cast<size_t>(indent) * static_cast<size_t>(depth), ' ');
  };
  out += object ? '{' : '[';
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out += indent > 0 ? "," : ", ";
    line(level + 1);
    if (object) {
      const auto& member = *(value.get_object().begin() + i);
      out += JsonQuote(member.key());
      out += ": ";
      Write(member.value(), indent, level + 1, out);
    } else {
      Write(value.get_array()[i], indent, level + 1, out);
    }
  }
  if (count > 0) line(level);
  out += object ? '}' : ']';
}

Result<ChatTool> ReadTool(const json::value& value, const std::string& where) {
  const json::value* function = value.is_object() ? value.get_object().if_contains("function") : nullptr;
  if (function == nullptr || !function->is_object()) {
    return ValidationError("a tool is {\"type\": \"function\", \"function\": {...}}", where);
  }
  const json::object& parts = function->get_object();
  ChatTool tool;
  if (const json::value* name = parts.if_contains("name"); name != nullptr && name->is_string()) {
    tool.name = std::string(name->get_string());
  }
  if (!IsName(tool.name)) return ValidationError("a name has 1 to 64 letters, digits, _ and -", where + ".name");
  if (const json::value* parameters = parts.if_contains("parameters"); parameters != nullptr) {
    if (!parameters->is_object()) return ValidationError("parameters is a JSON schema", where + ".parameters");
    tool.parameters = DumpJson(*parameters);
  }
  if (const json::value* strict = parts.if_contains("strict"); strict != nullptr) {
    tool.strict = strict->is_bool() && strict->get_bool();
  }
  tool.definition = DumpJson(value);
  return tool;
}

}  // namespace

Result<std::vector<ChatTool>> ParseTools(std::string_view text, const std::string& where) {
  PINTLE_ASSIGN(const json::value root, ParseJson(text, where));
  if (!root.is_array() || root.get_array().size() > 128) {
    return ValidationError("tools are a JSON array of at most 128", where);
  }
  std::vector<ChatTool> tools;
  for (const json::value& value : root.get_array()) {
    PINTLE_ASSIGN(ChatTool tool, ReadTool(value, where + "[" + std::to_string(tools.size()) + "]"));
    for (const ChatTool& other : tools) {
      if (other.name == tool.name) return ValidationError("there are two tools '" + tool.name + "'", where);
    }
    tools.push_back(std::move(tool));
  }
  return tools;
}

std::string TemplateJson(const json::value& value, int indent) {
  std::string out;
  Write(value, indent, 0, out);
  return out;
}

std::string TemplateJson(std::string_view text, int indent) {
  const auto value = ParseJson(text, "");
  return value.ok() ? TemplateJson(*value, indent) : JsonQuote(text);
}

std::string_view ToolCallMarker(ChatFormat format) {
  switch (format) {
    case ChatFormat::kMistral:
      return "[TOOL_CALLS]";
    case ChatFormat::kLlama3:
      return "";
    default:
      return "<tool_call>";
  }
}

ToolCallReader::ToolCallReader(ChatFormat format, const std::vector<ChatTool>& tools)
    : format_(format), marker_(ToolCallMarker(format)) {
  for (const ChatTool& tool : tools) names_.push_back(tool.name);
}

bool ToolCallReader::TakeCall(const json::value& value, std::string_view arguments_key) {
  if (!value.is_object()) return false;
  const json::object& object = value.get_object();
  const json::value *name = object.if_contains("name"), *arguments = object.if_contains(arguments_key),
                    *id = object.if_contains("id");
  if (name == nullptr || !name->is_string() || arguments == nullptr || !arguments->is_object()) return false;
  ToolCall call = {id != nullptr && id->is_string() ? std::string(id->get_string()) : std::string(),
                   std::string(name->get_string()), DumpJson(*arguments)};
  if (std::find(names_.begin(), names_.end(), call.name) == names_.end()) return false;
  calls_.push_back(std::move(call));
  return true;
}

// The calls of a text without its marker; false and none if it is anything else.
bool ToolCallReader::TakeCalls(std::string_view text) {
  const auto value = ParseJson(text, "");
  if (!value.ok()) return false;
  if (format_ != ChatFormat::kMistral) {
    return TakeCall(*value, format_ == ChatFormat::kLlama3 ? "parameters" : "arguments");
  }
  if (!value->is_array() || value->get_array().empty()) return false;
  const size_t before = calls_.size();
  for (const json::value& one : value->get_array()) {
    if (TakeCall(one, "arguments")) continue;
    calls_.resize(before);
    return false;
  }
  return true;
}

std::string ToolCallReader::Push(std::string_view text) {
  held_ += text;
  std::string out;
  if (marker_.empty()) {
    // A call is the whole answer: from its first character on it is one, or none.
    const size_t first = held_.find_first_not_of(kBlank);
    if (first != std::string::npos && !passing_) {
      const std::string_view rest = std::string_view(held_).substr(first);
      passing_ = rest[0] != '{' && !rest.starts_with(kPython) && !kPython.starts_with(rest);
    }
    if (passing_) std::swap(out, held_);
    return out;
  }
  while (in_call_ ? EndCall(out) : BeginCall(out)) {
  }
  return out;
}

// Looks for a marker; false: more text is needed.
bool ToolCallReader::BeginCall(std::string& out) {
  if (after_call_) held_.erase(0, held_.find_first_not_of(kBlank));
  const size_t at = held_.find(marker_);
  in_call_ = at != std::string::npos;
  size_t certain = at;
  if (!in_call_) {
    size_t keep = std::min(marker_.size() - 1, held_.size());
    while (!held_.ends_with(marker_.substr(0, keep))) --keep;
    certain = held_.size() - keep;
  }
  after_call_ = after_call_ && certain == 0;
  out += held_.substr(0, certain);
  held_.erase(0, certain + (in_call_ ? marker_.size() : 0));
  return in_call_;
}

// Looks for the end of a call; false: more text is needed. Mistral's calls go on to the end of the answer.
bool ToolCallReader::EndCall(std::string& out) {
  const size_t end = format_ == ChatFormat::kMistral ? std::string::npos : held_.find(kCallEnd);
  if (end == std::string::npos) return false;
  in_call_ = false;
  after_call_ = TakeCalls(held_.substr(0, end));
  if (!after_call_) out.append(marker_).append(held_, 0, end + kCallEnd.size());
  held_.erase(0, end + kCallEnd.size());
  return true;
}

std::string ToolCallReader::Finish() {
  if (in_call_) return TakeCalls(held_) ? std::string() : std::string(marker_) + held_;
  std::string_view rest = held_;
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size()));
  if (after_call_) return std::string(rest);
  if (rest.starts_with(kPython)) rest.remove_prefix(kPython.size());
  return marker_.empty() && !passing_ && TakeCalls(rest) ? std::string() : held_;
}

}  // namespace pintle
