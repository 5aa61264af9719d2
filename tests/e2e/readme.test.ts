/** What the README shows is true: every command runs, every file that it quotes is that file. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { cloneRepository, nothingLeft } from "./support/clone.ts";
import { REPOSITORY, start } from "./support/command.ts";
import { codeBlocks, commandsIn } from "./support/markdown.ts";

const readme = readFileSync(join(REPOSITORY, "README.md"), "utf8");
const blocks = codeBlocks(readme);
const commands = blocks
  .filter(({ language }) => language === "sh")
  .flatMap(({ text }) => commandsIn(text));

/** They get the clone, which is here already, and run the tests, which are running. */
const NOT_HERE = /^(git clone\b|cd\b|npm test\b)/;

/** Commands that go on until they are stopped, and what they say when they are ready. */
const LASTING: readonly (readonly [command: RegExp, ready: RegExp])[] = [
  [/^npm run dev\b/, /Ctrl-C ends everything/],
  [/\bsluice dashboard\b/, /Bull Board at/],
  [/\bsluice worker\b/, /"working"/],
  [/\bsluice scheduler\b/, /"scheduled"/],
];

let clone: string;
beforeAll(() => {
  clone = cloneRepository();
});

test("the README has commands to run", () => {
  expect(commands).toContain("npm run demo");
  expect(commands).toContain("npm test");
});

test.for(commands.filter((command) => !NOT_HERE.test(command)))("%s", async (command) => {
  const running = start(["/bin/sh", "-c", `exec ${command}`], {
    env: { SLUICE_DASHBOARD_PORT: "0" },
    cwd: clone,
    foreground: true,
  });
  const ready = LASTING.find(([lasting]) => lasting.test(command))?.[1];
  if (ready !== undefined) {
    await running.says(ready);
    await running.interrupt();
    await nothingLeft(clone, 5);
    return;
  }
  const { code, output } = await running.ended;
  expect({ command, code, output }).toEqual({ command, code: 0, output });
});

test("a file that the README quotes is that file", () => {
  const quoted = blocks.flatMap(({ text }) => {
    const [, file, rest] = /^\/\/ (\S+\/\S+\.\w+)\n([^]*)$/.exec(text) ?? [];
    return file === undefined ? [] : [[file, rest] as const];
  });
  expect(quoted).not.toEqual([]);
  for (const [file, text] of quoted) {
    expect(`${file}:\n${text}`).toBe(`${file}:\n${readFileSync(join(REPOSITORY, file), "utf8")}`);
  }
});

test("a file that the README links to exists", () => {
  const links = Array.from(readme.matchAll(/\]\(([^)#:]+)\)/g), ([, path = ""]) => path);
  expect(links).not.toEqual([]);
  expect(links.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
});
