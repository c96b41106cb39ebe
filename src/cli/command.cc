#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "base/config.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/log_file.h"
#include "formats/manifest.h"

namespace pintle {

// CLI11 owns the apps; each Command is our face of one of them. `last` is what Required() speaks about.
struct Command::Node {
  CLI::App* app = nullptr;
  CLI::Option* last = nullptr;
  std::vector<std::unique_ptr<Command>> children;
  std::function<Status(const Global&)> action;
};

Command::Command(std::unique_ptr<Node> node) : node_(std::move(node)) {}
Command::~Command() = default;

namespace {

// What the chosen verb will do; set by the parser's callbacks, run afterwards outside CLI11.
struct Chosen {
  const std::function<Status(const Global&)>* action = nullptr;
};
Chosen g_chosen;

std::vector<std::string> VerbNames(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::App* child : app->get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(child->get_name());
  return names;
}

std::vector<std::string> OptionNames(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::App* level = app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

// The deepest verb that the words name, and the words that follow it.
const CLI::App* DeepestVerb(const CLI::App* root, int argc, char** argv, std::string& unknown_verb) {
  const CLI::App* app = root;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("-")) continue;
    const auto verbs = VerbNames(app);
    if (verbs.empty()) break;
    if (std::find(verbs.begin(), verbs.end(), word) == verbs.end()) {
      if (i == 1 || !std::string(argv[i - 1]).starts_with("--")) unknown_verb = word;
      break;
    }
    app = app->get_subcommand(word);
  }
  return app;
}

Error ExplainParseError(const CLI::App& root, int argc, char** argv, const CLI::ParseError& error) {
  std::string unknown_verb;
  const CLI::App* app = DeepestVerb(&root, argc, argv, unknown_verb);
  std::string path = app->get_name();
  for (const CLI::App* parent = app->get_parent(); parent != nullptr; parent = parent->get_parent()) {
    path = parent->get_name() + " " + path;
  }
  const std::string lists = "`" + path + " --help` lists what there is";
  if (!unknown_verb.empty()) {
    const std::string near = NearestWord(unknown_verb, VerbNames(app));
    return UsageError("unknown verb '" + unknown_verb + "'", path,
                      near.empty() ? lists : "did you mean '" + near + "'?");
  }
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    word = word.substr(0, word.find('='));
    if (!word.starts_with("--") || word == "--") continue;
    const auto names = OptionNames(app);
    if (std::find(names.begin(), names.end(), word) != names.end()) continue;
    const std::string near = NearestWord(word, names);
    return UsageError("unknown option '" + word + "'", path, near.empty() ? lists : "did you mean '" + near + "'?");
  }
  return UsageError(error.what(), path, lists);
}

}  // namespace

Command& Command::Add(const std::string& name, const std::string& help) {
  auto node = std::make_unique<Node>();
  Node* raw = node.get();
  raw->app = node_->app->add_subcommand(name, help);
  raw->app->fallthrough();
  node_->children.push_back(std::make_unique<Command>(std::move(node)));
  // A verb that only groups others prints its help and counts as a usage error.
  raw->app->require_subcommand(0, 1);
  return *node_->children.back();
}

Command& Command::Option(const std::string& name, std::string& value, const std::string& help) {
  node_->last = node_->app->add_option(name, value, help);
  return *this;
}
Command& Command::Option(const std::string& name, int64_t& value, const std::string& help) {
  node_->last = node_->app->add_option(name, value, help)->capture_default_str();
  return *this;
}
Command& Command::Option(const std::string& name, double& value, const std::string& help) {
  node_->last = node_->app->add_option(name, value, help)->capture_default_str();
  return *this;
}
Command& Command::Option(const std::string& name, std::vector<std::string>& value, const std::string& help) {
  node_->last = node_->app->add_option(name, value, help)->expected(1)->allow_extra_args(false)->take_all();
  return *this;
}
Command& Command::Rest(const std::string& name, std::vector<std::string>& value, const std::string& help) {
  node_->last = node_->app->add_option(name, value, help);
  return *this;
}
Command& Command::Flag(const std::string& name, bool& value, const std::string& help) {
  node_->last = node_->app->add_flag(name, value, help);
  return *this;
}
Command& Command::Required() {
  node_->last->required();
  return *this;
}
Command& Command::Run(std::function<Status(const Global&)> action) {
  node_->action = std::move(action);
  Node* node = node_.get();
  node_->app->callback([node] {
    if (node->app->get_subcommands().empty()) g_chosen.action = &node->action;
  });
  return *this;
}

namespace {

// The verb's action. What the libraries throw (a full disk behind stdout, no memory) ends here as an error, too.
Status Act(const Global& global) {
  Status status;
  try {
    status = (*g_chosen.action)(global);
  } catch (const std::bad_alloc&) {
    status = RuntimeError("not enough memory", {}, "a smaller batch, model or file needs less");
  } catch (const std::exception& error) {
    status = RuntimeError(error.what());
  }
  if (status.ok() || !Interrupted() || !status.error().hint.empty()) return status;
  Error error = status.error();
  error.hint = "run the same command again; what was finished before is kept";
  return error;
}

}  // namespace

int RunCommandLine(int argc, char** argv, const std::function<void(Command&)>& register_verbs) {
  InstallInterruptHandler();
  CLI::App app("Pintle makes small models from nothing and serves them on your own machine", "pintle");
  app.set_version_flag("--version", kToolVersion);
  app.require_subcommand(0, 1);
  Global global;
  std::string log_level = "info", log_format = "text", log_file;
  app.add_option("--config", global.config, "a TOML file with settings (`pintle config` prints every key)");
  app.add_option("--set", global.set, "a setting, as section.key=value; may be given several times")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  CLI::Option* seed = app.add_option("--seed", global.seed, "the seed of every random choice; 0 if not given");
  app.add_option("--threads", global.threads, "threads; 0 = all processors (never changes a result)")
      ->check(CLI::Range(0, 1024));
  app.add_flag("--json", global.json, "print one JSON value on stdout");
  app.add_flag("--dry-run", global.dry_run, "print the plan and change nothing");
  app.add_option("--log-level", log_level, "debug, info, warning or error");
  app.add_option("--log-format", log_format, "text or json (on stderr)")->check(CLI::IsMember({"text", "json"}));

  app.add_option("--log-file", log_file,
                 "also keep the log here, as JSON lines; turns over to FILE.1 and FILE.2 at 16 MiB");

  auto root = std::make_unique<Command::Node>();
  root->app = &app;
  Command command(std::move(root));
  register_verbs(command);

  // `m31r ...` and `trm ...` are names for `pintle m31r ...` and `pintle trm ...`.
  std::vector<char*> words(argv, argv + argc);
  std::string name = argc > 0 ? argv[0] : "";
  name = name.substr(name.find_last_of('/') + 1);
  const auto products = VerbNames(&app);
  if (name != "pintle" && std::find(products.begin(), products.end(), name) != products.end()) {
    words.insert(words.begin() + 1, name.data());
  }
  const int count = static_cast<int>(words.size());
  try {
    app.parse(count, words.data());
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    PrintError(ExplainParseError(app, count, words.data(), error));
    return static_cast<int>(Code::kUsage);
  }
  global.seed_given = seed->count() > 0;
  SetLogJson(log_format == "json");
  const auto level = ParseLogLevel(log_level);
  if (!level.ok()) {
    PrintError(level.error());
    return static_cast<int>(level.error().code);
  }
  SetLogLevel(*level);
  if (const Status opened = SetLogFile(log_file); !opened.ok()) {
    PrintError(opened.error());
    return static_cast<int>(opened.error().code);
  }
  if (g_chosen.action == nullptr) {
    // The root's help is that of the verb that was named, with its whole path.
    std::fputs(app.help().c_str(), stderr);
    return static_cast<int>(Code::kUsage);
  }
  const Status status = Act(global);
  if (std::fflush(stdout) != 0 && status.ok()) {
    PrintError(RuntimeError("cannot write to standard output", "stdout"));
    return static_cast<int>(Code::kRuntime);
  }
  if (status.ok()) return 0;
  PrintError(status.error());
  return static_cast<int>(status.error().code);
}

}  // namespace pintle
