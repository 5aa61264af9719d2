/** The public API of Sluice. */
// Dates must be of this class: a Temporal of another package, or the global one, is refused.
export { Temporal } from "temporal-polyfill";
export { all } from "./core/all.ts";
export { defineConfig, Project, type ProjectConfig } from "./core/config.ts";
export {
  defineExternal,
  defineTask,
  defineWrapper,
  type TaskDeclaration,
  type TaskFamily,
} from "./core/define.ts";
export { DependencyFailedError } from "./core/dependency-failed.ts";
export {
  messageOf,
  PermanentError,
  SluiceError,
  UnreachableError,
  UsageError,
} from "./core/errors.ts";
export type { SluiceEvents } from "./core/events.ts";
export {
  isSignificant,
  paramCodec,
  type ParamKind,
  type ParamOptions,
} from "./core/params/codec.ts";
export { DateInterval } from "./core/params/date-interval.ts";
export { p } from "./core/params/p.ts";
export { CycleError, makePlan, type Plan, type PlannedTask, type TaskState } from "./core/plan.ts";
export type { JsonValue } from "./core/python-json.ts";
export type { Progress, RunContext, TaskContext } from "./core/run.ts";
export { daily, type Schedule, scheduled } from "./core/schedule.ts";
export { Secret } from "./core/secret.ts";
export type { ObjectStore, Source, Step, Stores, Transaction, Warehouse } from "./core/stores.ts";
export type { Attempt, Binding, Target, TargetHandle } from "./core/target.ts";
export type { Requirements, Task } from "./core/task.ts";
export { taskId } from "./core/task-id.ts";
export { type Slice } from "./sql/slice.ts";
export type { RedshiftColumn, RedshiftColumns } from "./sql/redshift/types.ts";
export type { Grantee, Granted, Grants } from "./sql/grant.ts";
export type { Sessions } from "./sql/open-sessions.ts";
export type {
  ColumnDefinition,
  RedshiftAttributes,
  TableDefinition,
} from "./sql/table-definition.ts";
export type { VacuumOptions } from "./sql/vacuum.ts";
export { type PartitionExists, partitionExists } from "./targets/partition-exists.ts";
export { type S3Dataset, s3Dataset } from "./targets/s3-dataset.ts";
export { type S3Flag, s3Flag } from "./targets/s3-flag.ts";
export { type S3Object, s3Object } from "./targets/s3-object.ts";
export { type TableExists, tableExists } from "./targets/table-exists.ts";
export { type TableMarker, tableMarker } from "./targets/table-marker.ts";
export {
  copyTableToS3,
  type CopyTableOptions,
  type Moved,
  TableCopyToS3,
} from "./tasks/copy-table-to-s3.ts";
export { Analyze, analyze } from "./tasks/analyze.ts";
export { CheckTable, type Checks, checkTable } from "./tasks/check-table.ts";
export { countRows } from "./tasks/count-rows.ts";
export { CopyIntoTableFromS3 } from "./tasks/copy-into-table-from-s3.ts";
export { CopyJsonIntoTable } from "./tasks/copy-json-into-table.ts";
export { CreateTable, createTable } from "./tasks/create-table.ts";
export { DeleteTable, deleteTable } from "./tasks/delete-table.ts";
export { Grant, grant } from "./tasks/grant.ts";
export { InsertIntoTable, insertIntoTable } from "./tasks/insert-into-table.ts";
export { KillOpenSessions, killOpenSessions } from "./tasks/kill-open-sessions.ts";
export { daySlice, type LoadOptions, LoadTable, loadTable } from "./tasks/load-table.ts";
export { type S3Files } from "./tasks/load-source.ts";
export {
  CreateTableFromSelectQuery,
  rebuildFromSelect,
  replaceFromSelect,
  swapFromSelect,
} from "./tasks/replace-from-select.ts";
export { RenameTable, renameTable } from "./tasks/rename-table.ts";
export { RunSql } from "./tasks/run-sql.ts";
export { copyInS3, type CopyInS3Options, S3Copy } from "./tasks/s3-copy.ts";
export { deleteFromS3, S3Delete } from "./tasks/s3-delete.ts";
export { S3Manifest, writeS3Manifest } from "./tasks/s3-manifest.ts";
export { TruncateTable, truncateTable } from "./tasks/truncate-table.ts";
export { UnloadQuery, UnloadTable } from "./tasks/unload-table.ts";
export { type UnloadOptions, unloadToS3 } from "./tasks/unload-to-s3.ts";
export { Vacuum, vacuum } from "./tasks/vacuum.ts";
export { WaitForS3 } from "./tasks/wait-for-s3.ts";
