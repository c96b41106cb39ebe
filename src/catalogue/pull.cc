#include "catalogue/pull.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "catalogue/download.h"
#include "formats/gguf.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

bool IsPathPart(std::string_view part) {
  return !part.empty() && part[0] != '.' && std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

std::string Page(const Hub& hub, std::string_view repository) { return hub.url + "/" + std::string(repository); }

std::string Stem(const std::string& file) { return file.substr(0, file.size() - 5); }

// hf:OWNER/NAME/FILE.gguf
Result<PullSource> FromHub(const std::string& what, const Hub& hub) {
  const Error bad = UsageError("not of the form hf:OWNER/NAME/FILE.gguf", what);
  std::vector<std::string> parts(1);
  for (const char c : what.substr(3)) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() < 3 || !std::all_of(parts.begin(), parts.end(), IsPathPart)) return bad;
  PullSource source;
  source.file = parts.back();
  if (!IsModelFileName(source.file)) return bad;
  source.id = Stem(source.file);
  source.page = Page(hub, parts[0] + "/" + parts[1]);
  source.url = source.page + "/resolve/main";
  for (size_t i = 2; i < parts.size(); ++i) source.url += "/" + parts[i];
  return source;
}

// https://HOST/.../FILE.gguf, with or without a query.
Result<PullSource> FromAddress(const std::string& what) {
  PullSource source;
  source.url = what;
  const std::string path = what.substr(0, what.find_first_of("?#"));
  source.file = path.substr(path.rfind('/') + 1);
  if (!IsModelFileName(source.file)) {
    return UsageError("the address does not end in NAME.gguf", what, "only GGUF files are pulled");
  }
  source.id = Stem(source.file);
  return source;
}

PullSource FromCatalogue(const CatalogueModel& model, const Hub& hub) {
  PullSource source;
  source.id = model.id;
  source.file = model.file;
  source.page = Page(hub, model.repository);
  source.url = source.page + "/resolve/main/" + model.file;
  source.sha256 = model.sha256;
  source.bytes = model.bytes;
  return source;
}

Status CheckIsGguf(const fs::path& path) {
  PINTLE_ASSIGN(const File file, File::OpenRead(path));
  PINTLE_ASSIGN(const uint64_t size, file.Size());
  const GgufRead read = [&](void* out, size_t count, uint64_t offset) { return file.ReadAt(out, count, offset); };
  PINTLE_RETURN_IF_ERROR(ParseGgufHeader(read, size, path.string()));
  return {};
}

// The answer 401 or 403 means a model whose licence has to be accepted first.
Error ExplainRefusal(Error error, int http_status, const PullSource& source, const Hub& hub, bool hub_asked) {
  if (!hub_asked || (http_status != 401 && http_status != 403)) return error;
  const std::string page = source.page.empty() ? source.url : source.page;
  error.hint =
      hub.token.empty()
          ? fmt::format(
                "the model is gated: accept its licence at {}, make a token (read) in your account's "
                "settings there, and run this again with HF_TOKEN set to it",
                page)
          : fmt::format("the token in HF_TOKEN is not let in: accept the licence at {} with its account", page);
  return error;
}

}  // namespace

Hub HubFromEnvironment() {
  Hub hub;
  if (const char* url = std::getenv("HF_ENDPOINT"); url != nullptr && url[0] != '\0') hub.url = url;
  while (hub.url.ends_with('/')) hub.url.pop_back();
  if (const char* token = std::getenv("HF_TOKEN")) hub.token = token;
  return hub;
}

Result<PullSource> FindPullSource(const std::string& what, const std::vector<CatalogueModel>& models, const Hub& hub) {
  if (const CatalogueModel* model = FindCatalogueModel(models, what)) return FromCatalogue(*model, hub);
  if (what.starts_with("hf:")) return FromHub(what, hub);
  if (what.find("://") != std::string::npos) return FromAddress(what);
  std::string ids;
  for (const CatalogueModel& model : models) ids += (ids.empty() ? "" : ", ") + model.id;
  return UsageError("there is no model '" + what + "' in the catalogue", "",
                    "there are: " + ids + "; or give hf:OWNER/NAME/FILE.gguf or an https address");
}

Result<std::string> VerifyStored(const std::string& file, const ModelStore& store, const std::string& sha256) {
  const fs::path path = store.folder() / file;
  PINTLE_ASSIGN(const std::optional<ModelLock> lock, store.ReadLock(file));
  PINTLE_ASSIGN(const std::string found, Sha256HexOfFile(path));
  const std::string wanted = !sha256.empty() ? sha256 : lock ? lock->sha256 : "";
  if (!wanted.empty() && found != wanted) {
    return ValidationError("SHA-256 is " + found + ", not " + wanted, path.string(),
                           "remove the file and pull it again");
  }
  PINTLE_RETURN_IF_ERROR(store.WriteLock(file, lock ? lock->source : "", found));
  return found;
}

Result<ModelFile> PullModel(const PullSource& source, const ModelStore& store, const PullOptions& options) {
  PINTLE_ASSIGN(const std::optional<ModelLock> lock, store.ReadLock(source.file));
  if (lock && !lock->source.empty() && lock->source != source.url) {
    return RuntimeError("a model of this name came from another address: " + lock->source,
                        (store.folder() / source.file).string(),
                        "remove it and its .lock if you want this one instead");
  }
  const std::string& known = source.sha256.empty() && lock ? lock->sha256 : source.sha256;
  const std::string& sha256 = options.sha256.empty() ? known : options.sha256;
  const ModelFile here = store.Look(source.file);
  if (here.state == ModelState::kVerified && (sha256.empty() || sha256 == lock->sha256)) return here;
  if (here.state == ModelState::kPresent || here.state == ModelState::kVerified) {
    PINTLE_RETURN_IF_ERROR(VerifyStored(source.file, store, sha256));
    return store.Look(source.file);
  }
  DownloadRequest request;
  request.url = source.url;
  request.target = here.path;
  request.sha256 = sha256;
  request.bytes = source.bytes;
  request.plain_http = options.plain_http;
  request.backoff_seconds = options.backoff_seconds;
  request.stop = options.stop;
  request.progress = options.progress;
  request.check = CheckIsGguf;
  const bool hub_asked = source.url.starts_with(options.hub.url + "/");
  if (hub_asked) request.bearer = options.hub.token;
  DownloadFailure failure;
  const Result<DownloadResult> done = DownloadFile(request, &failure);
  if (!done.ok()) return ExplainRefusal(done.error(), failure.http_status, source, options.hub, hub_asked);
  PINTLE_RETURN_IF_ERROR(store.WriteLock(source.file, source.url, done->sha256));
  return store.Look(source.file);
}

CatalogueRow MakeCatalogueRow(const CatalogueModel& model, const ModelStore& store) {
  CatalogueRow row;
  row.model = &model;
  row.file = store.Look(model.file);
  row.fits = model.ram_bytes <= UsableMemory();
  row.state = ModelStateName(row.file.state);
  row.progress = std::min(1.0, static_cast<double>(row.file.bytes) / static_cast<double>(model.bytes));
  return row;
}

std::string CatalogueRowJson(const CatalogueRow& row) {
  const CatalogueModel& model = *row.model;
  std::string json = fmt::format(
      R"({{"id":{},"name":{},"size_bytes":{},"ram_bytes":{},"licence":{},"gated":{},"fits":{},"state":"{}","progress":{:.4f})",
      JsonQuote(model.id), JsonQuote(model.name), model.bytes, model.ram_bytes, JsonQuote(model.licence), model.gated,
      row.fits, row.state, row.progress);
  if (!row.problem.empty()) json += ",\"problem\":" + JsonQuote(row.problem);
  return json + "}";
}

PullJobs::PullJobs(std::vector<CatalogueModel> models, ModelStore store, PullOptions options)
    : models_(std::move(models)), store_(std::move(store)), options_(std::move(options)) {
  options_.stop = [this] {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stopping_;
  };
  thread_ = std::thread([this] { Work(); });
}

PullJobs::~PullJobs() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

Status PullJobs::Start(const std::string& id) {
  const CatalogueModel* model = FindCatalogueModel(models_, id);
  if (model == nullptr) return UsageError("there is no model '" + id + "' in the catalogue");
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::find(waiting_.begin(), waiting_.end(), model) != waiting_.end()) return {};
    problems_.erase(id);
    waiting_.push_back(model);
  }
  wake_.notify_all();
  return {};
}

std::vector<CatalogueRow> PullJobs::Rows() const {
  std::vector<CatalogueRow> rows;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const CatalogueModel& model : models_) {
    CatalogueRow row = MakeCatalogueRow(model, store_);
    if (std::find(waiting_.begin(), waiting_.end(), &model) != waiting_.end()) {
      row.state = pulling_ && waiting_.front() == &model ? "pulling" : "waiting";
    }
    if (const auto problem = problems_.find(model.id); problem != problems_.end()) row.problem = problem->second;
    rows.push_back(std::move(row));
  }
  return rows;
}

void PullJobs::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    pulling_ = true;
    const CatalogueModel& model = *waiting_.front();
    lock.unlock();
    const Result<ModelFile> result = PullModel(FromCatalogue(model, options_.hub), store_, options_);
    lock.lock();
    pulling_ = false;
    waiting_.pop_front();
    if (result.ok()) {
      LogInfo("pull", model.id + " is here");
    } else if (!stopping_) {
      problems_[model.id] = result.error().what + (result.error().hint.empty() ? "" : "; " + result.error().hint);
      LogWarning("pull", model.id + ": " + result.error().Message());
    }
  }
}

}  // namespace pintle
