#include "corpus/ledger.h"

#include <sqlite3.h>

#include <algorithm>

#include "base/config.h"
#include "base/file.h"
#include "base/hash.h"
#include "formats/manifest.h"

namespace pintle {
namespace {

// Columns in the order of Bind() and Read(). journal and sync are off: the file is made inside a stage folder that
// counts only when complete. STRICT keeps the types as declared.
constexpr char kSchema[] =
    "PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
    "CREATE TABLE files(id INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,"
    " size INTEGER NOT NULL, rule TEXT NOT NULL, value INTEGER NOT NULL, detail TEXT NOT NULL, licence TEXT NOT NULL,"
    " licence_found TEXT NOT NULL, licence_from TEXT NOT NULL, crate TEXT NOT NULL, version TEXT NOT NULL,"
    " keeper INTEGER NOT NULL, document INTEGER NOT NULL, mails INTEGER NOT NULL) STRICT;"
    "BEGIN;";
constexpr char kInsert[] = "INSERT INTO files VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr char kSelect[] =
    "SELECT "
    "source,path,sha256,size,rule,value,detail,licence,licence_found,licence_from,crate,version,keeper,document,mails"
    " FROM files ";

struct Closer {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Closer>;
using Statement = std::unique_ptr<sqlite3_stmt, Closer>;

Error SqlError(sqlite3* db, const std::string& where, Code code) {
  return {code, std::string("SQLite: ") + (db == nullptr ? "out of memory" : sqlite3_errmsg(db)), where, ""};
}

void BindText(sqlite3_stmt* statement, int column, const std::string& text) {
  sqlite3_bind_text(statement, column, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

std::string ColumnText(sqlite3_stmt* statement, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return text == nullptr ? "" : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement, column)));
}

Rule ParseRule(const std::string& id) {
  for (int i = 0; i < kRuleCount; ++i) {
    if (id == RuleId(static_cast<Rule>(i))) return static_cast<Rule>(i);
  }
  return Rule::kNotRust;
}

LedgerRow ReadRow(sqlite3_stmt* s) {
  LedgerRow row;
  row.source = ColumnText(s, 0);
  row.path = ColumnText(s, 1);
  row.sha256 = ColumnText(s, 2);
  row.size = static_cast<uint64_t>(sqlite3_column_int64(s, 3));
  row.rule = ParseRule(ColumnText(s, 4));
  row.value = sqlite3_column_int64(s, 5);
  row.detail = ColumnText(s, 6);
  row.licence = ColumnText(s, 7);
  row.licence_found = ColumnText(s, 8);
  row.licence_from = ColumnText(s, 9);
  row.crate = ColumnText(s, 10);
  row.version = ColumnText(s, 11);
  row.keeper = sqlite3_column_int64(s, 12);
  row.document = sqlite3_column_int64(s, 13);
  row.mails = static_cast<uint32_t>(sqlite3_column_int64(s, 14));
  return row;
}

}  // namespace

struct LedgerWriter::State {
  std::string where;
  Database db;
  Statement insert;
  int64_t next_id = 1;

  Status Run(const char* sql) {
    if (sqlite3_exec(db.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      return SqlError(db.get(), where, Code::kRuntime);
    return {};
  }
};

LedgerWriter::LedgerWriter() : state_(new State) {}
LedgerWriter::LedgerWriter(LedgerWriter&&) noexcept = default;
LedgerWriter& LedgerWriter::operator=(LedgerWriter&&) noexcept = default;
LedgerWriter::~LedgerWriter() = default;

Result<LedgerWriter> LedgerWriter::Create(const std::filesystem::path& path) {
  PINTLE_RETURN_IF_ERROR(RemoveAll(path));
  LedgerWriter writer;
  State& s = *writer.state_;
  s.where = path.string();
  sqlite3* db = nullptr;
  const int code = sqlite3_open(s.where.c_str(), &db);
  s.db.reset(db);
  if (code != SQLITE_OK) return SqlError(db, s.where, Code::kRuntime);
  PINTLE_RETURN_IF_ERROR(s.Run(kSchema));
  sqlite3_stmt* insert = nullptr;
  if (sqlite3_prepare_v2(db, kInsert, -1, &insert, nullptr) != SQLITE_OK) return SqlError(db, s.where, Code::kRuntime);
  s.insert.reset(insert);
  return writer;
}

Status LedgerWriter::Add(const LedgerRow& row) {
  State& s = *state_;
  sqlite3_stmt* insert = s.insert.get();
  const std::string rule = RuleId(row.rule);
  sqlite3_bind_int64(insert, 1, s.next_id++);
  BindText(insert, 2, row.source);
  BindText(insert, 3, row.path);
  BindText(insert, 4, row.sha256);
  sqlite3_bind_int64(insert, 5, static_cast<int64_t>(row.size));
  BindText(insert, 6, rule);
  sqlite3_bind_int64(insert, 7, row.value);
  BindText(insert, 8, row.detail);
  BindText(insert, 9, row.licence);
  BindText(insert, 10, row.licence_found);
  BindText(insert, 11, row.licence_from);
  BindText(insert, 12, row.crate);
  BindText(insert, 13, row.version);
  sqlite3_bind_int64(insert, 14, row.keeper);
  sqlite3_bind_int64(insert, 15, row.document);
  sqlite3_bind_int64(insert, 16, row.mails);
  const int code = sqlite3_step(insert);
  sqlite3_reset(insert);
  if (code != SQLITE_DONE) return SqlError(s.db.get(), s.where, Code::kRuntime);
  return {};
}

Status LedgerWriter::Finish() {
  PINTLE_RETURN_IF_ERROR(state_->Run("COMMIT; CREATE INDEX files_by_path ON files(path);"));
  state_->insert.reset();
  if (sqlite3_close(state_->db.get()) != SQLITE_OK) return SqlError(state_->db.get(), state_->where, Code::kRuntime);
  (void)state_->db.release();  // closed above, where a late error could be seen
  return {};
}

struct LedgerReader::State {
  std::string where;
  Database db;

  Result<Statement> Prepare(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db.get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
      return SqlError(db.get(), where, Code::kValidation);
    }
    return Statement(statement);
  }
  Status Collect(sqlite3_stmt* statement, std::vector<LedgerRow>& rows) const {
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) rows.push_back(ReadRow(statement));
    if (code != SQLITE_DONE) return SqlError(db.get(), where, Code::kValidation);
    return {};
  }
  Result<std::optional<LedgerRow>> First(sqlite3_stmt* statement) const {
    std::vector<LedgerRow> rows;
    PINTLE_RETURN_IF_ERROR(Collect(statement, rows));
    if (rows.empty()) return std::optional<LedgerRow>();
    return std::optional<LedgerRow>(std::move(rows.front()));
  }
};

LedgerReader::LedgerReader() : state_(new State) {}
LedgerReader::LedgerReader(LedgerReader&&) noexcept = default;
LedgerReader& LedgerReader::operator=(LedgerReader&&) noexcept = default;
LedgerReader::~LedgerReader() = default;

Result<LedgerReader> LedgerReader::Open(const std::filesystem::path& path) {
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) {
    return RuntimeError("no ledger here", path.string(), "run `pintle m31r filter` first");
  }
  // SQLite itself notices no more than a broken tree.
  if (std::filesystem::exists(path.parent_path() / "manifest.json", missing)) {
    PINTLE_ASSIGN(const Manifest manifest, ReadManifest(path.parent_path()));
    PINTLE_ASSIGN(const std::string hash, Sha256HexOfFile(path));
    for (const auto& file : manifest.outputs) {
      if (file.path != path.filename() || file.sha256 == hash) continue;
      return ValidationError("damaged: the ledger does not have the SHA-256 of the manifest", path.string(),
                             "remove its folder and run `pintle m31r filter` again");
    }
  }
  LedgerReader reader;
  reader.state_->where = path.string();
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr);
  reader.state_->db.reset(db);
  if (code != SQLITE_OK) return SqlError(db, path.string(), Code::kRuntime);
  return reader;
}

Result<std::vector<LedgerRow>> LedgerReader::Find(const std::string& path, int limit) const {
  std::vector<LedgerRow> rows;
  // Exact first, by the index; the rest is a scan of a table of some ten thousand rows.
  for (const char* condition :
       {"WHERE path = ?1 ORDER BY id LIMIT ?2",
        "WHERE source || '/' || path = ?1 OR substr(path, -length(?1) - 1) = '/' || ?1 ORDER BY id LIMIT ?2"}) {
    PINTLE_ASSIGN(const Statement statement, state_->Prepare(std::string(kSelect) + condition));
    BindText(statement.get(), 1, path);
    sqlite3_bind_int(statement.get(), 2, limit);
    PINTLE_RETURN_IF_ERROR(state_->Collect(statement.get(), rows));
    if (!rows.empty()) break;
  }
  return rows;
}

Result<std::optional<LedgerRow>> LedgerReader::Row(int64_t id) const {
  PINTLE_ASSIGN(const Statement statement, state_->Prepare(std::string(kSelect) + "WHERE id = ?1"));
  sqlite3_bind_int64(statement.get(), 1, id);
  return state_->First(statement.get());
}

Result<std::optional<LedgerRow>> LedgerReader::OfPath(const std::string& source, const std::string& path) const {
  PINTLE_ASSIGN(const Statement statement, state_->Prepare(std::string(kSelect) + "WHERE path = ?1 AND source = ?2"));
  BindText(statement.get(), 1, path);
  BindText(statement.get(), 2, source);
  return state_->First(statement.get());
}

Result<std::vector<std::string>> LedgerReader::KeptCrates() const {
  PINTLE_ASSIGN(const Statement statement,
                state_->Prepare("SELECT DISTINCT crate FROM files WHERE rule = 'kept' ORDER BY crate"));
  std::vector<std::string> crates;
  int code = sqlite3_step(statement.get());
  for (; code == SQLITE_ROW; code = sqlite3_step(statement.get())) crates.push_back(ColumnText(statement.get(), 0));
  if (code != SQLITE_DONE) return SqlError(state_->db.get(), state_->where, Code::kValidation);
  return crates;
}

Result<std::vector<std::string>> LedgerReader::Suggest(const std::string& path, int limit) const {
  PINTLE_ASSIGN(const Statement statement, state_->Prepare("SELECT path FROM files ORDER BY id"));
  const auto name_of = [](const std::string& p) { return p.substr(p.rfind('/') + 1); };
  // By how many folders at the end agree, then by how near the rest is.
  const auto common_end = [](const std::string& a, const std::string& b) {
    size_t n = 0;
    while (n < a.size() && n < b.size() && a[a.size() - 1 - n] == b[b.size() - 1 - n]) ++n;
    return n;
  };
  const std::string name = name_of(path);
  std::vector<std::pair<size_t, std::string>> same_name;
  std::vector<std::string> names;
  int code = sqlite3_step(statement.get());
  for (; code == SQLITE_ROW; code = sqlite3_step(statement.get())) {
    std::string candidate = ColumnText(statement.get(), 0);
    if (name_of(candidate) == name) {
      same_name.emplace_back(common_end(candidate, path), std::move(candidate));
    } else {
      names.push_back(name_of(candidate));
    }
  }
  if (code != SQLITE_DONE) return SqlError(state_->db.get(), state_->where, Code::kValidation);
  std::sort(same_name.begin(), same_name.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::vector<std::string> out;
  for (auto& [score, candidate] : same_name) {
    if (static_cast<int>(out.size()) < limit) out.push_back(std::move(candidate));
  }
  if (out.empty()) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    if (std::string near = NearestWord(name, names); !near.empty()) out.push_back(std::move(near));
  }
  return out;
}

}  // namespace pintle
