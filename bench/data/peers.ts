/**
 * The peers: what an operator pipes together by hand. `psql`, `gzip` and `curl` where the machine has
 * them; else a small Node process does that one stage, and the bench says so.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Services } from "./services.ts";

const typescript = new URL("../../bin/typescript.js", import.meta.url).href;

export const COPY_OUT = "COPY orders TO STDOUT WITH (FORMAT csv)";

/** The stages, as shell commands that read from standard input or write to standard output. */
export interface Stages {
  readonly copyOut: string;
  readonly copyIn: (sql: string) => string;
  /** Puts standard input, of so many bytes, as one object. */
  readonly put: (key: string, bytes: number) => string;
  /** What each is, for people. */
  readonly are: string;
}

export function stagesOf({ url, s3, env }: Services): Stages {
  const psql = hasProgram("psql", env);
  const curl = hasProgram("curl", env);
  const stage = (...words: string[]) =>
    [process.execPath, "--import", typescript, stageMain, ...words].map(quote).join(" ");
  const copy = (sql: string) =>
    psql
      ? `psql -X -q -v ON_ERROR_STOP=1 -d ${quote(url)} -c ${quote(sql)}`
      : stage("copy", url, sql);
  return {
    copyOut: copy(COPY_OUT),
    copyIn: copy,
    put: (key, bytes) =>
      curl
        ? [
            "curl --silent --show-error --fail --request PUT --upload-file -",
            `--aws-sigv4 aws:amz:${s3.region}:s3 --user ${quote(`${s3.accessKeyId}:${s3.secretAccessKey}`)}`,
            `--header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' --header 'Content-Length: ${bytes}'`,
            `--header 'Transfer-Encoding:' --header 'Expect:' ${quote(`${s3.endpoint}/${s3.bucket}/${key}`)}`,
          ].join(" ")
        : stage("put", JSON.stringify(s3), key, String(bytes)),
    are: `COPY by ${psql ? "psql" : "Node with pg (this machine has no psql)"}, gzip and gunzip by gzip, PUT by ${curl ? "curl" : "Node with the AWS SDK (this machine has no curl)"}`,
  };
}

/** Runs a pipeline; any stage that fails is an error. Gives what it printed. */
export async function shell(command: string): Promise<string> {
  const child = spawn("bash", ["-o", "pipefail", "-c", command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`the peer failed: ${command}`);
  return out.trim();
}

const stageMain = fileURLToPath(new URL("./stage-main.ts", import.meta.url));

function hasProgram(name: string, env: Services["env"]): boolean {
  return (env["PATH"] ?? "")
    .split(path.delimiter)
    .some((folder) => existsSync(path.join(folder, name)));
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
