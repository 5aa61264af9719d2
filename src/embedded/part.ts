/** What the parts of the development stack have in common. */

/** One service of the stack, as it is shown to people: no password in it. */
export interface Part {
  readonly name: "Redis" | "Source" | "Warehouse" | "S3";
  /** "127.0.0.1:5432/shop" */
  readonly address: string;
  readonly detail: string;
  /** False for a service that the settings named. */
  readonly started: boolean;
  /** From the call of `startStack` until this part was up. */
  readonly seconds: number;
}

/** One or more parts that come up together. */
export interface Piece {
  readonly parts: readonly Omit<Part, "seconds">[];
  /** Variables for the processes that use the parts; undefined ones are left out. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Ends what was started, if anything was. */
  readonly stop?: () => Promise<void>;
}
