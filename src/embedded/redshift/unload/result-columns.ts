/** The columns that a query would give, without running it. */

import { type Backend, BackendError } from "../backend.ts";
import { code, type Message, readText, typeOf } from "../wire/message.ts";

export interface ResultColumn {
  readonly name: string;
  /** "character varying(10)" */
  readonly type: string;
}

/** Bytes of a column's description after its name: table, position, type, size, modifier, format. */
const REST_BYTES = 18;

export async function resultColumns(
  backend: Backend,
  select: string,
): Promise<readonly ResultColumn[]> {
  let described: readonly Described[] = [];
  let failure: BackendError | undefined;
  await backend.run(`SELECT * FROM (${select}) AS unloaded LIMIT 0`, (message) => {
    if (typeOf(message) === code("T")) described = readDescription(message);
    if (typeOf(message) === code("E")) failure = new BackendError(message);
  });
  if (failure !== undefined) throw failure;
  const types = described.map(({ oid, modifier }) => `format_type(${oid}, ${modifier})`);
  const [row = []] = types.length === 0 ? [] : await backend.rows(`SELECT ${types.join(", ")}`);
  return described.map(({ name }, index) => ({ name, type: row[index] ?? "" }));
}

interface Described {
  readonly name: string;
  readonly oid: number;
  readonly modifier: number;
}

function readDescription(message: Message): readonly Described[] {
  const columns: Described[] = [];
  let at = 7;
  for (let left = message.readInt16BE(5); left > 0; left -= 1) {
    const [name, rest] = readText(message, at);
    columns.push({
      name,
      oid: message.readUInt32BE(rest + 6),
      modifier: message.readInt32BE(rest + 12),
    });
    at = rest + REST_BYTES;
  }
  return columns;
}
