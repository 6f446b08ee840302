// The tables of a store in PostgreSQL: those of store/schema.h, and commit_marks
// (store/postgres_writer.h), with migrations of their own. Whole numbers are bigint, texts are
// compared byte by byte as in SQLite, and what is audited is the same, so that hashes agree.
#pragma once

#include "store/schema.h"

namespace trialward::store {

inline constexpr int kPostgresSchemaVersion = 7;

// What store/schema.h's functions of these names do; the schema is the first of the search_path.
base::Status migrate_postgres(Connection& connection, std::string_view store_id);
base::Result<std::int64_t> postgres_schema_version(Connection& connection);
base::Result<std::vector<SchemaObject>> read_postgres_schema(Connection& connection);
base::Result<std::vector<SchemaObject>> own_postgres_schema(Connection& connection);
// The view that shows a table's rows otherwise; "": there is none. Who names it reads the table.
std::string_view postgres_view_of(std::string_view table);
base::Result<std::string> find_postgres_damage(Connection& connection);

}  // namespace trialward::store
