/**
 * Parameters with a structure: the columns of a table, what only Redshift has, who is granted something.
 * Their text is JSON, or a word like `group:analysts`; their shape is checked, their content is not.
 */
import { z } from "zod";
import { type ParamOptions, paramCodec, type ValueCodec } from "../core/params/codec.ts";
import { parsePythonJson, pythonJsonText } from "../core/python-json.ts";
import type { RedshiftColumns } from "../sql/redshift/types.ts";
import type { Grantee } from "../sql/grant.ts";
import type { ColumnDefinition, RedshiftAttributes } from "../sql/table-definition.ts";

const columnSchema: z.ZodType<ColumnDefinition> = z.strictObject({
  name: z.string().min(1),
  type: z.string().min(1),
  notNull: z.boolean().optional(),
  default: z.string().min(1).optional(),
});

const redshiftSchema: z.ZodType<RedshiftAttributes> = z.strictObject({
  distStyle: z.enum(["auto", "even", "all", "key"]).optional(),
  distKey: z.string().min(1).optional(),
  sortKey: z.array(z.string().min(1)).optional(),
  encode: z.record(z.string(), z.string()).optional(),
});

/** A value of a zod schema, as JSON text. */
function structured<T>(
  name: string,
  form: string,
  schema: z.ZodType<T>,
  options?: ParamOptions,
): ValueCodec<T> {
  const checked = (value: unknown): T | undefined => schema.safeParse(value).data;
  return paramCodec(
    {
      name,
      form,
      decode(text) {
        try {
          return checked(parsePythonJson(text));
        } catch (error) {
          if (error instanceof SyntaxError) return undefined;
          throw error;
        }
      },
      // By way of JSON, which leaves out what is undefined; zod puts the keys into one order, so that
      // one definition has one text.
      encode(value) {
        const known = checked(value);
        return known && pythonJsonText(JSON.parse(JSON.stringify(known)));
      },
      jsonLiteral: (text) => text,
    },
    options,
  );
}

export const columnDefinition = structured(
  "column",
  '{"name": …, "type": …, "notNull": true or false, "default": SQL}, the last two optional',
  columnSchema,
);

export const redshiftAttributes = structured(
  "attributes",
  '{"distStyle": "auto", "even", "all" or "key", "distKey": column, "sortKey": [columns], "encode": {column: encoding}}, all optional',
  redshiftSchema,
);

const redshiftColumnsSchema: z.ZodType<RedshiftColumns> = z.record(
  z.string(),
  z.strictObject({
    type: z.string().min(1).optional(),
    truncate: z.number().int().optional(),
    nonFinite: z.literal("null").optional(),
    empty: z.literal("null").optional(),
  }),
);

export const redshiftColumns = structured(
  "columns",
  '{column: {"type": "decimal(18,4)", "truncate": characters, "nonFinite": "null", "empty": "null"}}, each optional',
  redshiftColumnsSchema,
);

/** `alice` or `user:alice`, `group:analysts`, `role:reader`, `public`. */
export const grantee = paramCodec<Grantee>({
  name: "grantee",
  form: '"public", or a name, with "user:", "group:" or "role:" before it',
  decode(text) {
    if (text === "public") return { kind: "public" };
    const [, kind = "user", name = ""] = /^(?:(user|group|role):)?([^:]+)$/.exec(text) ?? [];
    return granteeOf(kind, name);
  },
  encode(value) {
    const known = granteeSchema.safeParse(value).data;
    if (known === undefined) return undefined;
    return known.kind === "public" ? "public" : `${known.kind}:${known.name}`;
  },
});

const granteeSchema: z.ZodType<Grantee> = z.union([
  z.strictObject({ kind: z.literal("public") }),
  z.strictObject({ kind: z.enum(["user", "group", "role"]), name: z.string().min(1) }),
]);

function granteeOf(kind: string, name: string): Grantee | undefined {
  return granteeSchema.safeParse({ kind, name }).data;
}
