/** TypeScript sources as Node runs them: what changed is compiled, and errors name the source's lines. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempDir } from "../support/services.ts";
import { REPOSITORY, start } from "./support/command.ts";

const TYPESCRIPT = join(REPOSITORY, "bin/typescript.js");

async function node(file: string) {
  return await start([process.execPath, "--import", TYPESCRIPT, file], { env: {} }).ended;
}

test("a file without package.json is a module; after a change it is the changed one that runs", async () => {
  const folder = tempDir();
  const file = join(folder, "main.ts");
  writeFileSync(join(folder, "answer.ts"), "export const answer: number = 41;");
  writeFileSync(file, 'import { answer } from "./answer.ts";\nconsole.log(await answer);');
  expect(await node(file)).toMatchObject({ code: 0, stdout: "41\n", stderr: "" });
  writeFileSync(join(folder, "answer.ts"), "export const answer: number = 42;");
  expect(await node(file)).toMatchObject({ code: 0, stdout: "42\n" });
  expect(await node(file)).toMatchObject({ code: 0, stdout: "42\n" });
});

test("a source may be imported by the name that a compiler would give it, or without an extension", async () => {
  const folder = tempDir();
  const file = join(folder, "main.ts");
  writeFileSync(join(folder, "answer.ts"), "export const answer: number = 41;");
  writeFileSync(file, 'export { answer } from "./answer.js";\nconsole.log(41);');
  expect(await node(file)).toMatchObject({ code: 0, stdout: "41\n", stderr: "" });
  writeFileSync(file, 'import { answer } from "./answer";\nconsole.log(answer);');
  expect(await node(file)).toMatchObject({ code: 0, stdout: "41\n", stderr: "" });
  writeFileSync(file, 'import { answer } from "./question.js";\nconsole.log(answer);');
  expect((await node(file)).stderr).toMatch(/Cannot find module '.*question\.js'/);
});

test("an error's stack has the lines of the source, and one of syntax names its place", async () => {
  const file = join(tempDir(), "main.ts");
  const types = "interface Row {\n  id: number;\n}\n\n";
  writeFileSync(
    file,
    `${types}const row: Row = { id: 1 };\nthrow new Error(\`row \${row.id}\`);\n`,
  );
  expect((await node(file)).stderr).toMatch(/Error: row 1\n\s+at .*main\.ts:6:7/);
  writeFileSync(file, `${types}const row: Row = {`);
  expect((await node(file)).stderr).toMatch(/main\.ts:5:\d+: ERROR: .* end of file/);
});
