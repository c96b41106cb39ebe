// The command line in small: verbs with flags. A thin face over CLI11, whose header is expensive and stays in
// command.cc.
//
//   void RegisterM31rFilter(Command& m31r) {
//     Command& verb = m31r.Add("filter", "choose the files worth learning from");
//     auto options = std::make_shared<FilterOptions>();
//     verb.Option("--work", options->work, "the work folder").Required();
//     verb.Flag("--keep-comments", options->keep_comments, "...");
//     verb.Run([options](const Global& global) -> Status { ...one call...; print; });
//   }
//
// Exit status: the Error's code (result.h); usage errors of the parser are 1, with a did-you-mean.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace pintle {

/// Flags that every verb takes.
struct Global {
  std::string config;  ///< --config FILE ("" = none)
  uint64_t seed = 0;   ///< --seed N
  bool seed_given = false;
  int threads = 0;               ///< --threads N, 0 = all
  bool json = false;             ///< --json: one JSON value on stdout
  std::vector<std::string> set;  ///< --set section.key=value, over file and environment
  bool dry_run = false;          ///< --dry-run: print the plan, change nothing
};

/// One verb; see the example above.
class Command {
 public:
  struct Node;
  explicit Command(std::unique_ptr<Node> node);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  /// A verb below this one.
  Command& Add(const std::string& name, const std::string& help);
  /// "--name" takes a value; "name" (no dashes) is positional. Returns the verb, so that Required() may follow.
  Command& Option(const std::string& name, std::string& value, const std::string& help);
  Command& Option(const std::string& name, int64_t& value, const std::string& help);
  Command& Option(const std::string& name, double& value, const std::string& help);
  /// May be given several times; a value is taken as it is.
  Command& Option(const std::string& name, std::vector<std::string>& value, const std::string& help);
  /// All further words.
  Command& Rest(const std::string& name, std::vector<std::string>& value, const std::string& help);
  Command& Flag(const std::string& name, bool& value, const std::string& help);
  /// The option or positional added last must be given.
  Command& Required();
  /// What the verb does. A Status that fails is printed by PrintError and becomes the exit status.
  Command& Run(std::function<Status(const Global&)> action);

 private:
  std::unique_ptr<Node> node_;
};

/// Parses and runs; the exit status of the program. `register_verbs` fills the tree.
int RunCommandLine(int argc, char** argv, const std::function<void(Command&)>& register_verbs);

}  // namespace pintle
