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
export type { ObjectStore, Source, Step, Stores, Warehouse } from "./core/stores.ts";
export type { Attempt, Binding, Target, TargetHandle } from "./core/target.ts";
export type { Requirements, Task } from "./core/task.ts";
export { taskId } from "./core/task-id.ts";
export { type Slice } from "./sql/slice.ts";
export { type S3Dataset, s3Dataset } from "./targets/s3-dataset.ts";
export { type TableMarker, tableMarker } from "./targets/table-marker.ts";
export {
  copyTableToS3,
  type CopyTableOptions,
  type Moved,
  TableCopyToS3,
} from "./tasks/copy-table-to-s3.ts";
export { countRows } from "./tasks/count-rows.ts";
export { daySlice, type LoadOptions, LoadTable, loadTable } from "./tasks/load-table.ts";
export { CreateTableFromSelectQuery, replaceFromSelect } from "./tasks/replace-from-select.ts";
export { RunSql } from "./tasks/run-sql.ts";
