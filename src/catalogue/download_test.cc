#include "catalogue/download.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "net/test_server.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

struct QuietLog {
  QuietLog() { SetLogLevel(LogLevel::kError); }
  ~QuietLog() { SetLogLevel(LogLevel::kInfo); }
};

std::string Body(const char* word) {
  std::string body;
  for (int i = 0; i < 30000; ++i) body += word + std::to_string(i);
  return body;
}

DownloadRequest Request(const TestServer& server, const fs::path& target) {
  DownloadRequest request;
  request.url = server.Url("/f");
  request.target = target;
  request.backoff_seconds = 0.01;
  request.attempts = 3;
  return request;
}

}  // namespace

TEST_CASE("a broken download goes on, a file that changes begins anew") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  const std::string first = Body("a"), second = Body("b");
  std::vector<int64_t> offsets;
  bool changes = false;
  TestServer server([&](const ServedRequest& request) {
    offsets.push_back(request.Offset());
    const bool late = changes && offsets.size() > 1;
    ServedReply reply = late ? ServeVersion(request, second, "\"2\"") : ServeVersion(request, first, "\"1\"");
    if (offsets.size() < 3) reply.cut = 50000;
    return reply;
  });
  DownloadRequest request = Request(server, folder.path() / "a.gguf");
  const auto resumed = DownloadFile(request);
  REQUIRE(resumed.ok());
  CHECK(offsets == std::vector<int64_t>{-1, 50000, 100000});
  CHECK(*ReadFile(request.target) == first);
  CHECK(resumed->sha256 == Sha256Hex(first));

  offsets.clear();
  changes = true;
  request.target = folder.path() / "b.gguf";
  REQUIRE(DownloadFile(request).ok());
  CHECK(*ReadFile(request.target) == second);
  CHECK(offsets == std::vector<int64_t>{-1, 50000, 50000});  // the second was answered in full, and cut there again
  CHECK_FALSE(fs::exists(request.target.string() + ".part"));
  CHECK_FALSE(fs::exists(request.target.string() + ".part.json"));
}

TEST_CASE("a part that a server changed behind our back is not glued on") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  const std::string first = Body("a"), second = Body("b");
  int calls = 0;
  TestServer server([&](const ServedRequest& request) {
    // It ignores If-Range: parts of the new file under the new validator.
    ServedRequest plain{request.Offset() < 0 ? "GET / HTTP/1.1" : "GET /\r\nRange: " + request.Header("Range"), "/"};
    ServedReply reply = ++calls == 1 ? ServeVersion(plain, first, "\"1\"") : ServeVersion(plain, second, "\"2\"");
    if (calls == 1) reply.cut = 50000;
    return reply;
  });
  const DownloadRequest request = Request(server, folder.path() / "a.gguf");
  REQUIRE(DownloadFile(request).ok());
  CHECK(*ReadFile(request.target) == second);
  CHECK(calls == 3);
}

TEST_CASE("an interrupted download goes on in the next call; one of another address does not") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  const std::string body = Body("a");
  std::vector<int64_t> offsets;
  TestServer server([&](const ServedRequest& request) {
    offsets.push_back(request.Offset());
    ServedReply reply = ServeVersion(request, body, "\"1\"");
    if (offsets.size() == 1) reply.cut = 50000;
    return reply;
  });
  DownloadRequest request = Request(server, folder.path() / "a.gguf");
  request.attempts = 1;
  request.stop = [&] { return offsets.size() == 1; };
  CHECK_FALSE(DownloadFile(request).ok());
  CHECK_FALSE(fs::exists(request.target));
  const fs::path part = request.target.string() + ".part";
  const int64_t here = fs::exists(part) ? static_cast<int64_t>(fs::file_size(part)) : 0;  // an empty part is removed
  CHECK(here <= 50000);
  offsets.push_back(-2);
  request.stop = nullptr;
  REQUIRE(DownloadFile(request).ok());
  CHECK(offsets.back() == (here > 0 ? here : -1));
  CHECK(*ReadFile(request.target) == body);

  const fs::path other = folder.path() / "b.gguf";
  REQUIRE(WriteFileAtomic(other.string() + ".part", "leftovers of something").ok());
  request.target = other;
  REQUIRE(DownloadFile(request).ok());
  CHECK(*ReadFile(other) == body);
}

TEST_CASE("lies about the length, and other answers that lead nowhere") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  const std::string body = Body("a");
  ServedReply reply{200, body, {"ETag: \"1\""}};
  int calls = 0;
  TestServer server([&](const ServedRequest&) {
    ++calls;
    return reply;
  });
  DownloadRequest request = Request(server, folder.path() / "a.gguf");
  const auto fails = [&] {
    calls = 0;
    const auto result = DownloadFile(request);
    CHECK_FALSE(result.ok());
    CHECK_FALSE(fs::exists(request.target));
    return result.ok() ? std::string() : result.error().what;
  };
  reply.claimed = static_cast<int64_t>(body.size()) + 5;  // more than comes, again and again
  fails();
  CHECK(calls == 4);
  reply.claimed = -2;
  CHECK(fails() == "the server does not say how large the file is");
  reply.claimed = int64_t{1} << 60;
  CHECK(fails().find("more are needed") != std::string::npos);
  CHECK(calls == 1);
  reply = {200, "", {}};
  CHECK(fails().find("empty") != std::string::npos);
  reply = {200, body, {}};
  request.bytes = 7;
  CHECK(fails().find("not 7") != std::string::npos);
  request.bytes = 0;
  request.sha256 = std::string(64, '0');
  CHECK(fails().find("SHA-256 is ") == 0);
  CHECK_FALSE(fs::exists(request.target.string() + ".part"));
  request.sha256.clear();
  request.check = [](const fs::path&) -> Status { return ValidationError("not what it should be"); };
  CHECK(fails() == "not what it should be");
  reply = {404, "no"};
  DownloadFailure failure;
  CHECK_FALSE(DownloadFile(request, &failure).ok());
  CHECK(failure.http_status == 404);
}

TEST_CASE("two downloads of one file do not mix") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  TestServer server([](const ServedRequest& request) { return ServeVersion(request, "x", "\"1\""); });
  const DownloadRequest request = Request(server, folder.path() / "a.gguf");
  const int held = ::open((request.target.string() + ".part").c_str(), O_RDWR | O_CREAT, 0644);
  REQUIRE(::flock(held, LOCK_EX) == 0);
  CHECK_FALSE(DownloadFile(request).ok());
  CHECK(server.requests() == 0);
  ::close(held);
  CHECK(DownloadFile(request).ok());
}

}  // namespace pintle
