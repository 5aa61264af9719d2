/**
 * The protocol's own way to cancel a statement: a connection of sixteen bytes that needs no login, so it
 * works when every slot for sessions is taken. The server answers nothing, whether or not it did it.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import type { ClientConfig } from "pg";

const SSL_REQUEST = 80_877_103;
const CANCEL_REQUEST = 80_877_102;
const TIMEOUT = 5_000;

/** What the server told a session of ours when it began. */
export interface BackendKey {
  readonly processID: number;
  readonly secretKey: number;
}

export async function sendCancelRequest(
  { host = "localhost", port = 5432, ssl }: ClientConfig,
  { processID, secretKey }: BackendKey,
): Promise<void> {
  const plain = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  plain.on("error", () => {});
  plain.setTimeout(TIMEOUT, () => plain.destroy());
  await once(plain, "connect");
  const socket = ssl === undefined || ssl === false ? plain : await encrypted(plain, host, ssl);
  socket.end(message(CANCEL_REQUEST, processID, secretKey));
  if (!socket.closed) await once(socket, "close");
}

async function encrypted(
  plain: Socket,
  host: string,
  ssl: true | NonNullable<Exclude<ClientConfig["ssl"], boolean>>,
): Promise<Socket> {
  plain.write(message(SSL_REQUEST));
  await once(plain, "data");
  const socket = connectTls({ socket: plain, servername: host, ...(ssl === true ? {} : ssl) });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

function message(...words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * words.length);
  [bytes.length, ...words].forEach((word, index) => bytes.writeInt32BE(word | 0, index * 4));
  return bytes;
}
