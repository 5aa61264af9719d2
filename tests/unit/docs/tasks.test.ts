/** docs/tasks.md is true: its examples are those of examples/families, and no family or parameter is missing. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import project, * as examples from "../../../examples/families/sluice.config.ts";
import { flattenOutputs } from "../../../src/core/target.ts";
import { isFamily, isTask, requirementsOf } from "../../../src/core/task.ts";
import * as api from "../../../src/index.ts";
import { codeBlocks } from "../../e2e/support/markdown.ts";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const page = read("docs/tasks.md");
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.split("\n", 1)[0] ?? "", section.split(/^## /m, 1)[0] ?? ""]),
);
const families = Object.values<unknown>(api).filter(isFamily);

test("every example is one of examples/families, which is compiled", () => {
  const source = read("examples/families/sluice.config.ts").replaceAll(/^export const/gm, "const");
  const blocks = codeBlocks(page);
  expect(blocks.length).toBeGreaterThan(families.length);
  for (const { language, text } of blocks) {
    expect(language).toBe("ts");
    expect(source).toContain(text);
  }
});

test("every family has a section with an example, which names all of its parameters", () => {
  expect([...sections.keys()].sort()).toEqual(families.map(({ name }) => name).sort());
  for (const { name, params } of families) {
    const section = sections.get(name) ?? "";
    const rest = name === "UnloadQuery" ? (sections.get("UnloadTable") ?? "") : "";
    const unnamed = Object.keys(params).filter(
      (param) => !(section + rest).includes(`\`${param}\``),
    );
    expect({ name, unnamed }).toEqual({ name, unnamed: [] });
    expect(section).toContain(`${name}({`);
  }
});

test("every example can be planned: its outputs and requirements are sound", () => {
  const tasks = Object.values<unknown>(examples).filter(isTask);
  expect(tasks).toHaveLength(families.length);
  for (const task of tasks) {
    expect(flattenOutputs(task.outputs).length).toBeGreaterThan(0);
    for (const requirement of requirementsOf(task)) {
      expect(project.family(requirement.family.name)).toBe(requirement.family);
    }
    expect(task.family.parse(task.texts).id).toBe(task.id);
  }
});
