/**
 * The ports to data: what tasks may do with Postgres, the warehouse and S3, and no more than they do.
 * Types only; the code that opens sockets is in `src/stores`.
 */
import type { Readable } from "node:stream";

/** The stores of a process, opened once and shared by its tasks. Each connects when first used. */
export interface Stores {
  readonly source: Source;
  readonly warehouse: Warehouse;
  readonly s3: ObjectStore;
}

/** A column by its exact name and its type as its database writes it: `numeric(10,2)`, `shop.mood`. */
export interface Column {
  readonly name: string;
  readonly pgType: string;
  /** What Redshift holds it as, in a dump that is made for Redshift: `DECIMAL(10,2)`. */
  readonly redshiftType?: string | undefined;
  /** What was selected in its place, in the source's SQL; its text is then no longer that of `pgType`. */
  readonly expression?: string | undefined;
}

/** A column of a table that exists. */
export interface TableColumn extends Column {
  /** Computed by the database from other columns: it can be read and never written. */
  readonly generated: boolean;
}

type Row = Record<string, unknown>;

/** A database that tables are dumped from. */
export interface Source {
  /** `postgres://user@host:port/database`, without a password. */
  readonly address: string;
  /** The columns of a table, in order. Throws `UNKNOWN_TABLE`, with the nearest name. */
  describe(table: string): Promise<readonly TableColumn[]>;
  /**
   * Streams a table or query as CSV out of one read-only snapshot, and gives what `consume` gives.
   * When `consume` fails, or the signal aborts, the statement is ended on the server too.
   */
  copyOut<T>(request: CopyOutRequest, consume: (copy: CopyOut) => Promise<T>): Promise<T>;
  /** The statements that `copyOut` would send, in order. */
  copyOutStatements(request: CopyOutRequest): Promise<readonly string[]>;
  /** Reads rows. The row type is the caller's claim about its own SQL. */
  query<R extends Row>(sql: string, values?: readonly unknown[], options?: Abort): Promise<R[]>;
}

export interface Abort {
  readonly signal?: AbortSignal;
}

export interface CopyOutRequest extends Abort {
  readonly from: { readonly table: string } | { readonly query: string };
  /** What a NULL is written as, unquoted. */
  readonly nullText: string;
  /** Names the session on the server: the task id. */
  readonly label?: string;
  /** Sessions that share the rows, under one snapshot. Default 1. */
  readonly connections?: number | undefined;
  /** The column by which they share them; tables need none. */
  readonly splitBy?: string | undefined;
  /** What is written of the columns that were found. Throws for one that the dump's reader lacks. */
  readonly project?: ((columns: readonly Column[]) => readonly Column[]) | undefined;
}

export interface CopyOut {
  readonly columns: readonly Column[];
  /** The transactions that the dump sees, as Postgres writes them. */
  readonly snapshot: string;
  /** About how long the table is; undefined for what has no length of its own. */
  readonly bytes: number | undefined;
  /** A stream of `Block`s. It ends only after the server's row counts agreed with ours. */
  readonly blocks: Readable;
}

/** Whole rows: no row crosses from one block to the next. */
export interface Block {
  readonly buffer: Buffer;
  readonly rows: number;
  /** Gives the memory back, for another block. After it, nobody may read the buffer. */
  readonly release?: () => void;
}

/** Which SQL a warehouse speaks. */
export type Dialect = "postgres" | "redshift";

/** A database that tables are loaded into and built in. */
export interface Warehouse {
  readonly address: string;
  readonly dialect: Dialect;
  readonly outlet: Outlet;
  /** The columns of a table, in order; undefined when there is no such table. */
  describe(table: string): Promise<readonly TableColumn[] | undefined>;
  /** Reads rows. The row type is the caller's claim about its own SQL. */
  query<R extends Row>(sql: string, values?: readonly unknown[], options?: Abort): Promise<R[]>;
  /**
   * Runs the steps and writes the marker in one transaction: either all of it happened and the
   * marker says so, or none of it did. A marker that is already there means that it happened before:
   * nothing runs. A connection lost during COMMIT is answered by reading the marker.
   *
   * ```ts
   * warehouse.atomically(output, replaceFromSelect("mart.daily_revenue", sql));
   * ```
   */
  atomically(marker: Marker, ...steps: readonly Step[]): Promise<Committed>;
  /**
   * The statements that `atomically` would send, in order, with secrets masked. Reads the catalog,
   * changes nothing.
   */
  atomicallyStatements(marker: Marker, ...steps: readonly Step[]): Promise<readonly string[]>;
  /**
   * Runs the steps, each statement committing on its own, then writes the marker. For what cannot be
   * in a transaction (VACUUM) or ends it (TRUNCATE on Redshift). An attempt that dies half-way leaves
   * what it did, and the next one begins with the first step: each must be safe to run again.
   */
  serially(marker: Marker, ...steps: readonly Step[]): Promise<Committed>;
  /** The statements that `serially` would send, as `atomicallyStatements` gives them. */
  seriallyStatements(marker: Marker, ...steps: readonly Step[]): Promise<readonly string[]>;
  /** Whether a transaction with this marker has committed. */
  hasMarker(updateId: string): Promise<boolean>;
  /** Deletes a marker. The rows that it stood for stay: the next load replaces them. */
  removeMarker(updateId: string): Promise<void>;
}

/** The row that proves that a task's transaction committed. */
export interface Marker {
  readonly updateId: string;
  /** The table that the task writes; for people. */
  readonly table: string;
  readonly signal: AbortSignal;
  /**
   * Throws unless the running attempt may commit right now. Asked just before the marker is written, and
   * before one that is there after a lost answer is taken for our own.
   */
  confirmLease(): Promise<void>;
}

export interface Committed {
  /** Rows that the steps wrote; 0 when the marker was already there. */
  readonly rows: number;
  /** The marker was already there, so nothing ran. */
  readonly already: boolean;
}

/** SQL, or a function that works in the transaction and says how many rows it wrote. */
export type Step = string | ((transaction: Transaction) => Promise<number>);

/**
 * What a step may do. The looks (`describe`, `columnsOf`, `missingTypes`, `look`) read the catalog;
 * the others are the statements that `atomicallyStatements` prints. It must be safe to run a step again
 * from its first line: a transaction that loses to another one is repeated as a whole.
 */
export interface Transaction {
  readonly dialect: Dialect;
  /** All steps in one transaction, as `atomically` has them, or every statement in its own. */
  readonly mode: "atomic" | "serial";
  /** The statements are only written down: looks see nothing of what they would change. */
  readonly printed: boolean;
  describe(table: string): Promise<readonly TableColumn[] | undefined>;
  /** The columns that a SELECT gives. */
  columnsOf(select: string): Promise<readonly Column[]>;
  /** Those of the types that this database does not have. */
  missingTypes(pgTypes: readonly string[]): Promise<readonly string[]>;
  /** The rows of a SELECT about the server itself, on which the statements that follow depend. */
  look(sql: string): Promise<readonly Row[]>;
  /** Runs a statement; gives how many rows it wrote. */
  execute(sql: string): Promise<number>;
  /** The rows of a SELECT; undefined when it is only printed. */
  select(sql: string): Promise<readonly Row[] | undefined>;
  /** Runs `SELECT count(*) …` and throws what `mismatch` makes of another number than `expected`. */
  expectCount(sql: string, expected: number, mismatch: (found: number) => Error): Promise<void>;
  /** Adds the rows of files to a table; gives how many. Any other number than `rows` is an error. */
  load(load: Load): Promise<number>;
}

/** Files in S3 that are loaded as one. Redshift reads them itself, Postgres is sent their bytes. */
export interface Load {
  readonly table: string;
  /** The table's columns that the files have, in the files' order. */
  readonly columns: readonly Column[];
  readonly format: FileFormat;
  /** `s3://bucket/…/manifest.json`, which lists the files in the form of Redshift's COPY. */
  readonly manifest: string;
  readonly files: readonly LoadFile[];
  /** What all files have together; undefined when nobody knows. */
  readonly rows: number | undefined;
  /** Sessions that share the files, where they are sent to the server. Default 1. */
  readonly connections?: number | undefined;
  readonly progress?: ((report: { readonly rows: number }) => void) | undefined;
}

export interface LoadFile {
  /** Where the bytes come from, for error messages. */
  readonly from: string;
  /** Opens the bytes, decompressed; called once, shortly before the server reads. */
  open(): Readable;
  /** Any other number of rows is an error; undefined when nobody knows. */
  readonly rows: number | undefined;
}

/** How rows are written in files. */
export type FileFormat = CsvFormat | JsonFormat | ParquetFormat;

/** Only Redshift reads and writes it. */
export interface ParquetFormat {
  readonly type: "parquet";
}

export interface CsvFormat {
  readonly type: "csv";
  /** What stands for NULL, unquoted. */
  readonly null: string;
  readonly compression: Compression;
}

/** One JSON object after another. */
export interface JsonFormat {
  readonly type: "json";
  /** `s3://…` of a JSONPaths file, which only Redshift knows; by default keys are the columns' names. */
  readonly paths?: string | undefined;
  readonly compression: Compression;
}

export type Compression = "gzip" | "zstd" | "none";

/** How rows leave a warehouse: Redshift writes S3 itself, out of Postgres they are streamed. */
export type Outlet =
  | { readonly kind: "stream"; readonly source: Source }
  | { readonly kind: "server"; readonly unloader: Unloader };

/** A warehouse that writes S3 itself. */
export interface Unloader {
  /** Writes files and `<to>manifest`. A run that dies half-way leaves files and no manifest. */
  unload(request: UnloadRequest): Promise<Unloaded>;
  /** The statements that `unload` would send, with secrets masked. */
  unloadStatements(request: UnloadRequest): Promise<readonly string[]>;
}

export interface UnloadRequest {
  readonly query: string;
  /** `s3://bucket/prefix/part-`: where the names of the files begin. It must be unused. */
  readonly to: string;
  readonly format:
    | (Omit<CsvFormat, "compression"> & { readonly compression: "gzip" | "zstd" })
    | ParquetFormat;
  /** At most; Redshift's default is 6.2 GB. */
  readonly fileMegabytes?: number | undefined;
  /** Names the session on the server: the task id. */
  readonly label: string;
  readonly signal: AbortSignal;
  /** What is selected of the columns that the query gives. */
  readonly project?: ((columns: readonly Column[]) => readonly Column[]) | undefined;
}

export interface Unloaded {
  readonly columns: readonly Column[];
  readonly rows: number;
}

/** One bucket, or everything under one prefix of it. Keys are relative to that prefix. */
export interface ObjectStore {
  readonly bucket: string;
  /** `s3://bucket/prefix/key`. */
  url(key: string): string;
  /** Undefined when there is no such object. */
  head(key: string): Promise<ObjectInfo | undefined>;
  /** The whole of a small object; undefined when there is none. */
  read(key: string, options?: Abort): Promise<Buffer | undefined>;
  /** Streams an object; a connection that breaks is taken up again where it broke. */
  stream(key: string, options?: Abort): Readable;
  /** Writes a small object at once. With `ifAbsent`, `"exists"` says that another one was there. */
  put(key: string, body: Buffer | string, options?: PutOptions): Promise<"written" | "exists">;
  /** Uploads a stream of any length in flat memory. The object appears only when it is whole. */
  upload(key: string, body: Readable, options?: Abort): Promise<void>;
  /** Copies an object within the store, on the server. False when there is no such object. */
  copy(from: string, to: string, options?: Abort): Promise<boolean>;
  list(prefix: string): AsyncIterable<ObjectInfo>;
  delete(keys: readonly string[]): Promise<void>;
  listUploads(prefix: string): AsyncIterable<UploadInfo>;
  abortUpload(upload: UploadInfo): Promise<void>;
}

export interface PutOptions extends Abort {
  readonly ifAbsent?: boolean;
  readonly contentType?: string;
}

export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
  readonly modified: Date;
}

/** A multipart upload that was begun and neither completed nor aborted. */
export interface UploadInfo {
  readonly key: string;
  readonly uploadId: string;
  readonly started: Date;
}
