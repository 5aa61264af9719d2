/** Postgres's protocol: a call is a connection, a query (either protocol), or the end of a COPY. */
import type { Conversation, Frame, Protocol } from "./protocol.ts";

export const postgresProtocol: Protocol = {
  oneByOne: false,
  converse: () => new PostgresConversation(),
};

class PostgresConversation implements Conversation {
  #sent: Buffer = Buffer.alloc(0);
  #got: Buffer = Buffer.alloc(0);
  #started = false;
  /** Parse up to Sync: the extended protocol's messages of one query. */
  #query: { readonly name: string; readonly bytes: Buffer[] } | undefined;

  requests(bytes: Buffer): readonly Frame[] {
    this.#sent = Buffer.concat([this.#sent, bytes]);
    const frames: Frame[] = [];
    for (;;) {
      const header = this.#started ? 1 : 0;
      if (this.#sent.length < header + 4) return frames;
      const size = header + this.#sent.readUInt32BE(header);
      if (this.#sent.length < size) return frames;
      const message = this.#sent.subarray(0, size);
      this.#sent = this.#sent.subarray(size);
      if (this.#started) this.#frame(message, frames);
      else frames.push({ bytes: message, call: "connect" });
      this.#started = true;
    }
  }

  #frame(message: Buffer, frames: Frame[]): void {
    const type = String.fromCharCode(message[0] ?? 0);
    if (type === "P") {
      const sql = message.toString("utf8", message.indexOf(0, 5) + 1);
      this.#query = { name: shortened(sql), bytes: [] };
    }
    if (this.#query !== undefined) {
      this.#query.bytes.push(message);
      if (type !== "S") return;
      frames.push({ bytes: Buffer.concat(this.#query.bytes), call: this.#query.name });
      this.#query = undefined;
    } else if (type === "Q") {
      frames.push({ bytes: message, call: shortened(message.toString("utf8", 5)) });
    } else if (type === "c") {
      frames.push({ bytes: message, call: "end of COPY" });
    } else {
      frames.push({ bytes: message });
    }
  }

  /** Ready for the next query, or about to copy, or asking for a password. */
  answered(bytes: Buffer): boolean {
    this.#got = Buffer.concat([this.#got, bytes]);
    let ready = false;
    while (this.#got.length >= 5) {
      const size = 1 + this.#got.readUInt32BE(1);
      if (this.#got.length < size) break;
      if ("ZGHR".includes(String.fromCharCode(this.#got[0] ?? 0))) ready = true;
      this.#got = this.#got.subarray(size);
    }
    return ready;
  }
}

/** The same for every case: without values, and without numbers in names. */
function shortened(sql: string): string {
  const plain = sql.slice(0, sql.indexOf("\0")).replaceAll(/\s+/g, " ").trim();
  if (plain.startsWith("SET LOCAL")) return "SET LOCAL";
  return plain
    .replaceAll(/'[^']*'/g, "?")
    .replaceAll(/\d+/g, "N")
    .slice(0, 60);
}
