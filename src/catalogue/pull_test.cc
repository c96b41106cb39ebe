#include "catalogue/pull.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <chrono>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "formats/gguf.h"
#include "net/test_server.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

struct QuietLog {
  QuietLog() { SetLogLevel(LogLevel::kError); }
  ~QuietLog() { SetLogLevel(LogLevel::kInfo); }
};

// A small file that is truly GGUF.
std::string Gguf(float value) {
  const TemporaryFolder folder;
  const std::vector<float> values(4096, value);
  const GgufItem item = {"x", {64, 64}, GgufType::kF32, [&](std::string& out) -> Status {
                           GgufEncode(GgufType::kF32, values.data(), 4096, out);
                           return {};
                         }};
  REQUIRE(WriteGguf(folder.path() / "x", {{"general.architecture", GgufValue::String("qwen3")}}, {item}).ok());
  return *ReadFile(folder.path() / "x");
}

std::vector<CatalogueModel> Models(const std::string& body, const std::string& sha256) {
  CatalogueModel model;
  model.id = "small";
  model.name = "Small";
  model.repository = "owner/name";
  model.file = "small.gguf";
  model.sha256 = sha256;
  model.bytes = static_cast<int64_t>(body.size());
  model.ram_bytes = 1000;
  CatalogueModel huge = model;
  huge.id = "huge";
  huge.file = "huge.gguf";
  huge.ram_bytes = int64_t{1} << 60;
  return {model, huge};
}

// A hub of one repository, and the store where its files go; both are told apart by their addresses.
struct World {
  QuietLog quiet;
  TemporaryFolder folder;
  std::string body = Gguf(1);
  std::vector<std::string> tokens;
  int refuse = 0;
  TestServer server{[this](const ServedRequest& request) -> ServedReply {
    tokens.push_back(request.Header("Authorization"));
    if (refuse != 0) return {refuse, "no"};
    if (request.path != "/owner/name/resolve/main/small.gguf") return {404, "no"};
    return ServeVersion(request, body, "\"" + Sha256Hex(body) + "\"");
  }};
  ModelStore store{folder.path() / "models"};
  PullOptions options;
  std::vector<CatalogueModel> models = Models(body, "");

  World() {
    options.hub.url = server.Url("");
    options.backoff_seconds = 0.01;
  }
  Result<ModelFile> Pull(const std::string& what) {
    PINTLE_ASSIGN(const PullSource source, FindPullSource(what, models, options.hub));
    return PullModel(source, store, options);
  }
};

}  // namespace

TEST_CASE("what names and addresses mean") {
  const std::vector<CatalogueModel> models = Models("x", std::string(64, 'a'));
  const Hub hub;
  const auto known = FindPullSource("small", models, hub);
  REQUIRE(known.ok());
  CHECK(known->url == "https://huggingface.co/owner/name/resolve/main/small.gguf");
  CHECK(known->sha256 == std::string(64, 'a'));
  CHECK(known->bytes == 1);
  const auto on_hub = FindPullSource("hf:a/b/c/d-Q4.gguf", models, hub);
  REQUIRE(on_hub.ok());
  CHECK(on_hub->url == "https://huggingface.co/a/b/resolve/main/c/d-Q4.gguf");
  CHECK(on_hub->file == "d-Q4.gguf");
  const auto address = FindPullSource("https://example.org/x/y.gguf?download=true", models, hub);
  REQUIRE(address.ok());
  CHECK(address->file == "y.gguf");
  CHECK(address->id == "y");
  for (const char* bad : {"smal", "", "hf:a/b", "hf:a/../b.gguf", "hf:a/b/c.bin", "hf:a/b/.gguf", "hf://a/b/c.gguf",
                          "https://example.org/", "https://example.org/a%2Fb.gguf", "https://x.gguf/y?z.gguf"}) {
    CAPTURE(bad);
    const auto source = FindPullSource(bad, models, hub);
    REQUIRE_FALSE(source.ok());
    CHECK(source.error().code == Code::kUsage);
  }
}

TEST_CASE("the first pull locks the hash, the second does nothing, other bytes are refused") {
  World world;
  const auto first = world.Pull("small");
  REQUIRE(first.ok());
  CHECK(first->state == ModelState::kVerified);
  CHECK(*ReadFile(first->path) == world.body);
  CHECK(world.server.requests() == 1);
  REQUIRE(world.Pull("small").ok());
  CHECK(world.server.requests() == 1);
  CHECK((*world.store.ReadLock("small.gguf"))->sha256 == Sha256Hex(world.body));

  // Gone, and the hub has another file of the same size now.
  REQUIRE(RemoveAll(first->path).ok());
  CHECK(world.store.Look("small.gguf").state == ModelState::kAbsent);
  const std::string old = std::exchange(world.body, Gguf(2));
  const auto other = world.Pull("small");
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().code == Code::kValidation);
  CHECK(world.store.Look("small.gguf").state == ModelState::kAbsent);
  world.body = old;
  REQUIRE(world.Pull("small").ok());

  // Changed here: seen by size or time, and by the hash when somebody looks.
  REQUIRE(WriteFileAtomic(first->path, Gguf(2)).ok());
  fs::last_write_time(first->path, fs::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK(world.store.Look("small.gguf").state == ModelState::kPresent);
  CHECK_FALSE(VerifyStored("small.gguf", world.store, "").ok());
  CHECK_FALSE(world.Pull("small").ok());
  REQUIRE(WriteFileAtomic(first->path, old).ok());
  const int before = world.server.requests();
  REQUIRE(world.Pull("small").ok());  // hashed, not fetched
  CHECK(world.server.requests() == before);
  CHECK(world.store.Look("small.gguf").state == ModelState::kVerified);

  // The same name from elsewhere is another model.
  CHECK_FALSE(world.Pull(world.server.Url("/elsewhere/small.gguf")).ok());
}

TEST_CASE("what is not GGUF, or not of the size, does not stay") {
  World world;
  const std::string good = world.body;
  world.body = std::string(good.size(), '<');
  CHECK_FALSE(world.Pull("small").ok());
  world.body = good + "x";
  CHECK_FALSE(world.Pull("small").ok());
  world.options.sha256 = std::string(64, '1');
  world.body = good;
  CHECK_FALSE(world.Pull("small").ok());
  CHECK(world.store.Files().empty());
}

TEST_CASE("a gated model says what to do, and a token stays with the hub") {
  World world;
  world.refuse = 401;
  const auto without = world.Pull("small");
  REQUIRE_FALSE(without.ok());
  CHECK(without.error().hint.find("accept its licence at " + world.server.Url("/owner/name")) != std::string::npos);
  CHECK(without.error().hint.find("HF_TOKEN") != std::string::npos);
  world.options.hub.token = "secret";
  const auto refused = world.Pull("small");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().hint.find("is not let in") != std::string::npos);
  CHECK(world.tokens == std::vector<std::string>{"", "Bearer secret"});
  world.refuse = 0;
  REQUIRE(world.Pull("small").ok());
  CHECK(world.tokens.back() == "Bearer secret");

  std::string seen = "nothing";
  TestServer stranger([&](const ServedRequest& request) {
    seen = request.Header("Authorization");
    return ServeVersion(request, world.body, "\"1\"");
  });
  REQUIRE(world.Pull(stranger.Url("/other.gguf")).ok());
  CHECK(seen.empty());
}

TEST_CASE("jobs pull one after the other and say how far they are") {
  World world;
  PullJobs jobs(world.models, world.store, world.options);
  CHECK(jobs.Rows()[0].state == "absent");
  CHECK(jobs.Rows()[0].fits);
  CHECK_FALSE(jobs.Rows()[1].fits);
  CHECK_FALSE(jobs.Start("nobody").ok());
  REQUIRE(jobs.Start("small").ok());
  REQUIRE(jobs.Start("huge").ok());  // the hub does not have it
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < end &&
         (jobs.Rows()[0].state != "verified" || jobs.Rows()[1].problem.empty())) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const std::vector<CatalogueRow> rows = jobs.Rows();
  CHECK(rows[0].state == "verified");
  CHECK(rows[0].progress == 1.0);
  CHECK(rows[1].state == "absent");
  CHECK(rows[1].problem.find("404") != std::string::npos);
  CHECK(CatalogueRowJson(rows[0]).find(R"("state":"verified","progress":1.0000})") != std::string::npos);
  CHECK(ParseJson(CatalogueRowJson(rows[1]), "row").ok());
}

}  // namespace pintle
