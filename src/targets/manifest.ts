/**
 * `manifest.json`: what a dataset consists of. It has the form that Redshift's COPY reads (`entries`),
 * with what we need to prove a load beside it. It is written last and once: where it is, the dataset is
 * whole, so nothing is ever concluded from listing a prefix.
 */
import { z } from "zod";
import { messageOf, PermanentError } from "../core/errors.ts";

const count = z.number().int().nonnegative();

const entrySchema = z.object({
  url: z.string(),
  /** Without it, Redshift skips a file that is missing, silently. */
  mandatory: z.literal(true),
  meta: z.object({
    content_length: count,
    rows: count,
    /** Before compression. Unknown of a file that Redshift wrote. */
    raw_bytes: count.optional(),
    /** Of the object's bytes, in hexadecimal. Unknown of a file that Redshift wrote. */
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  }),
});

const manifestSchema = z.object({
  entries: z.array(entrySchema).readonly(),
  dump: z.object({
    task_id: z.string(),
    attempt: z.string(),
    /** For whose reader the text was written. */
    dialect: z.enum(["postgres", "redshift"]).default("postgres"),
    columns: z
      .array(
        z.object({
          name: z.string(),
          pgType: z.string(),
          redshiftType: z.string().optional(),
          expression: z.string().optional(),
        }),
      )
      .readonly(),
    format: z.discriminatedUnion("type", [
      z.object({
        type: z.literal("csv"),
        /** What stands for NULL, unquoted. */
        null: z.string(),
        compression: z.enum(["gzip", "zstd"]),
      }),
      z.object({ type: z.literal("parquet") }),
    ]),
    /** The transactions that the dump saw. Unknown of what Redshift wrote. */
    snapshot: z.string().optional(),
    started: z.string(),
    finished: z.string(),
    rows: count,
    /** Sizes of the objects. */
    bytes: count,
    raw_bytes: count.optional(),
  }),
});

export type Manifest = z.output<typeof manifestSchema>;
export type ManifestEntry = Manifest["entries"][number];

export function writeManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Throws when the text is no manifest of ours. `location` is for the message. */
export function readManifest(text: string, location: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new PermanentError(
      "MANIFEST_INVALID",
      `${location} is not a manifest that Sluice wrote: ${error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)}`,
      { cause: error },
    );
  }
}
