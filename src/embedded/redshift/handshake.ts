/**
 * The beginning of a session: encryption is declined, start-up parameters that Redshift does not know
 * are refused, and the password is proven to Postgres itself. The stand-in never sees a password.
 */

import { messageOf } from "../../core/errors.ts";
import { Backend, BackendError, type PostgresHost } from "./backend.ts";
import { SqlError } from "./sql-error.ts";
import type { Channel } from "./wire/channel.ts";
import {
  code,
  errorResponse,
  int32,
  type Message,
  parameterStatus,
  readText,
  text,
  typeOf,
} from "./wire/message.ts";

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;

/** Kinds of authentication request that are no question. */
const AUTHENTICATION_OK = 0;
const SASL_FINAL = 12;

/** What Redshift's own drivers and node's `pg` send. */
const KNOWN_PARAMETERS = new Set([
  "user",
  "database",
  "client_encoding",
  "application_name",
  "datestyle",
  "extra_float_digits",
  "timezone",
  "statement_timeout",
]);

/** Of Redshift's JDBC driver; Postgres does not know them. */
const DRIVER_PARAMETERS = new Set([
  "client_protocol_version",
  "driver_version",
  "os_version",
  "plugin_name",
]);

/** Known to both, but the label of a session's queries is kept there: SET query_group alone sets it. */
const NAME_OF_CLIENT = "application_name";

/** A transaction sees one snapshot, and conflicting writes fail: as under Redshift's isolation. */
const SESSION_SETTINGS = {
  TimeZone: "UTC",
  DateStyle: "ISO, MDY",
  default_transaction_isolation: "repeatable read",
} as const;

export type Opening =
  | { readonly kind: "session"; readonly backend: Backend; readonly database: string }
  | { readonly kind: "cancel"; readonly key: string }
  | { readonly kind: "refused" };

/** Brings a client's connection to the point where it may send its first statement. */
export async function shakeHands(
  client: Channel,
  where: PostgresHost,
  prepare: (database: string) => Promise<void>,
): Promise<Opening> {
  for (;;) {
    const packet = await client.next();
    const kind = packet.readInt32BE(4);
    if (kind === SSL_REQUEST || kind === GSS_REQUEST) {
      await client.send(Buffer.from("N"));
    } else if (kind === CANCEL_REQUEST) {
      return { kind: "cancel", key: packet.toString("hex", 8) };
    } else {
      return await openSession(client, packet, { where, prepare });
    }
  }
}

async function openSession(
  client: Channel,
  packet: Message,
  given: {
    readonly where: PostgresHost;
    readonly prepare: (database: string) => Promise<void>;
  },
): Promise<Opening> {
  client.becomeTyped();
  const parameters = startupParameters(packet);
  const unknown = [...parameters.keys()].find((name) => !isKnown(name));
  if (unknown !== undefined) {
    const error = new SqlError("42704", `unrecognized configuration parameter "${unknown}"`);
    await client.send(fatal(error));
    return { kind: "refused" };
  }
  const backend = new Backend(given.where);
  let opening: Opening = { kind: "refused" };
  try {
    await backend.channel.send(startupPacket(packet.readInt32BE(4), parameters));
    const database = parameters.get("database") ?? parameters.get("user") ?? "";
    opening = await introduce(client, backend, { database, prepare: given.prepare });
    return opening;
  } finally {
    // Also when the client hung up: Postgres would wait for its password for a minute, and all who drop
    // a database would wait for that backend.
    if (opening.kind !== "session") backend.channel.destroy();
  }
}

/** Passes on what Postgres asks and the client answers, until there is a session or a refusal. */
async function introduce(
  client: Channel,
  backend: Backend,
  {
    database,
    prepare,
  }: { readonly database: string; readonly prepare: (database: string) => Promise<void> },
): Promise<Opening> {
  for (;;) {
    const message = await backend.channel.next();
    switch (typeOf(message)) {
      case code("R"): {
        await client.send(message);
        const question = message.readInt32BE(5);
        if (question !== AUTHENTICATION_OK && question !== SASL_FINAL) {
          await backend.channel.send(await client.next());
        }
        break;
      }
      case code("K"):
        backend.key = Buffer.from(message.subarray(5));
        await client.send(message);
        break;
      case code("S"):
        await client.send(asRedshift(message));
        break;
      case code("E"):
        await client.send(message);
        return { kind: "refused" };
      case code("Z"):
        backend.noteStatus(message);
        // Only now is the client known to have the password.
        try {
          await prepare(database);
          await backend.rows("SELECT sluice_standin.note_session()");
        } catch (error) {
          const says = `the stand-in could not make database "${database}" ready: ${messageOf(error)}`;
          const state = error instanceof BackendError ? error.fields.get("C") : undefined;
          await client.send(fatal(new SqlError(state ?? "XX000", says)));
          return { kind: "refused" };
        }
        return { kind: "session", backend, database };
      default:
        await client.send(message);
    }
  }
}

/** An error after which there is no session. */
export function fatal({ fields }: SqlError): Message {
  return errorResponse(new Map([...fields, ["S", "FATAL"], ["V", "FATAL"]]));
}

function isKnown(name: string): boolean {
  const folded = name.toLowerCase();
  return KNOWN_PARAMETERS.has(folded) || DRIVER_PARAMETERS.has(folded);
}

function startupParameters(packet: Message): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (let at = 8; packet[at] !== undefined && packet[at] !== 0; ) {
    const [name, valueAt] = readText(packet, at);
    const [value, next] = readText(packet, valueAt);
    parameters.set(name, value);
    at = next;
  }
  return parameters;
}

function startupPacket(version: number, parameters: ReadonlyMap<string, string>): Buffer {
  const own = [...parameters].filter(([name]) => {
    const folded = name.toLowerCase();
    return folded !== NAME_OF_CLIENT && !DRIVER_PARAMETERS.has(folded);
  });
  const pairs = [...Object.entries(SESSION_SETTINGS), ...own].flat().map(text);
  const body = Buffer.concat([int32(version), ...pairs, Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

/** The version that Redshift says it is. */
function asRedshift(status: Message): Message {
  const [name] = readText(status, 5);
  return name === "server_version" ? parameterStatus(name, "8.0.2") : status;
}
