/**
 * Passwords of the embedded servers: random, made once per folder, readable by its owner only. They
 * keep other users of the machine out of servers that listen on the loopback interface.
 */

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const schema = z.strictObject({
  redisPassword: z.string(),
  postgresPassword: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});

export type Credentials = Readonly<z.infer<typeof schema>>;

/** Those of the folder, created when it has none. Hold the folder's lock. */
export function folderCredentials(dir: string): Credentials {
  const file = join(dir, "credentials.json");
  if (existsSync(file)) return schema.parse(JSON.parse(readFileSync(file, "utf8")));
  const credentials = {
    redisPassword: random(),
    postgresPassword: random(),
    accessKeyId: `SLUICE${randomBytes(7).toString("hex").toUpperCase()}`,
    secretAccessKey: random(),
  };
  writeFileSync(file, `${JSON.stringify(credentials, undefined, 2)}\n`, { mode: 0o600 });
  return credentials;
}

function random(): string {
  return randomBytes(24).toString("base64url");
}
