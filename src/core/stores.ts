/**
 * The ports to data: what tasks may do with Postgres, the warehouse and S3. Types only; the code that
 * opens sockets is in `src/stores`.
 */

/** The stores of a process, opened once and shared by its tasks. */
export interface Stores {
  readonly source: Source;
  readonly warehouse: Warehouse;
  readonly s3: ObjectStore;
}

export interface Source {
  /** `postgres://user@host:port/database`, without a password. */
  readonly address: string;
}

export interface Warehouse {
  readonly address: string;
}

export interface ObjectStore {
  readonly bucket: string;
}
