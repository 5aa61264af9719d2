/**
 * The dependency graph of a plan as text for other tools: Mermaid (Markdown pages), DOT (Graphviz)
 * and JSON. Data flows from left to right: an edge goes from a requirement to what requires it. The
 * same plan always gives the same text. Does no layout.
 */
import type { Plan, PlannedTask, TaskState } from "../core/plan.ts";
import type { GRAPH_FORMATS } from "./graph-format.ts";

/** Mermaid refuses more than 500 edges unless its page raises `maxEdges`: use DOT for large graphs. */
export type GraphFormat = (typeof GRAPH_FORMATS)[number];

const RENDERERS: Readonly<Record<GraphFormat, (plan: Plan) => string>> = {
  mermaid,
  dot,
  json: (plan) => JSON.stringify(graphJson(plan), null, 2),
};

/** The graph as text, without a newline at its end. */
export function renderGraph(plan: Plan, format: GraphFormat): string {
  return RENDERERS[format](plan);
}

interface Look {
  readonly fill: string;
  readonly stroke: string;
}

/** Colour is never alone: the state is also written, except where there is nothing to say. */
const LOOKS: Readonly<Record<TaskState, Look>> = {
  complete: { fill: "#dcfce7", stroke: "#15803d" },
  absent: { fill: "#ffffff", stroke: "#475569" },
  blocked: { fill: "#f1f5f9", stroke: "#475569" },
  queued: { fill: "#e0e7ff", stroke: "#4338ca" },
  delayed: { fill: "#fef9c3", stroke: "#a16207" },
  running: { fill: "#dbeafe", stroke: "#1d4ed8" },
  failed: { fill: "#fee2e2", stroke: "#b91c1c" },
};

/** The lines of a node's label: its name, and what there is to say about it. */
function labelOf({ task, state }: PlannedTask): string[] {
  const kind = task.family.kind === "external" ? ["external"] : [];
  const notes = [...kind, ...(state === "absent" ? [] : [state])];
  return notes.length === 0 ? [task.name] : [task.name, notes.join(", ")];
}

function mermaid(plan: Plan): string {
  const planned = [...plan.tasks.values()];
  const names = new Map(planned.map(({ task }, index) => [task.id, `t${index}`]));
  const states = new Set(planned.map(({ state }) => state));
  return [
    "flowchart LR",
    ...planned.map((each) => {
      const label = labelOf(each).map(mermaidText).join("<br/>");
      return `  ${names.get(each.task.id)}["${label}"]:::${each.state}`;
    }),
    ...edges(plan).map(([from, to]) => `  ${names.get(from)} --> ${names.get(to)}`),
    ...[...states].sort().map((state) => {
      const { fill, stroke } = LOOKS[state];
      return `  classDef ${state} fill:${fill},stroke:${stroke},color:#0f172a`;
    }),
  ].join("\n");
}

/**
 * Everything but letters, digits and what is harmless becomes an entity. Colons too: Mermaid drops
 * the semicolon of the last entity in a line that has `style` and, later, a colon.
 */
function mermaidText(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N} _.,=()/-]/gu, (char) => `#${char.codePointAt(0)};`);
}

function dot(plan: Plan): string {
  return [
    "digraph sluice {",
    "  rankdir=LR;",
    '  node [shape=box, style="rounded,filled", fontname="sans-serif", fontcolor="#0f172a"];',
    ...[...plan.tasks.values()].map((each) => {
      const { fill, stroke } = LOOKS[each.state];
      const label = labelOf(each).map(dotText).join(String.raw`\n`);
      return `  "${each.task.id}" [label="${label}", fillcolor="${fill}", color="${stroke}", class="${each.state}"];`;
    }),
    ...edges(plan).map(([from, to]) => `  "${from}" -> "${to}";`),
    "}",
  ].join("\n");
}

/** In a label, Graphviz reads backslashes, and entities as HTML does. Line breaks become spaces. */
function dotText(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, " ")
    .replaceAll("&", "&amp;")
    .replace(/[\\"]/g, String.raw`\$&`);
}

/** From requirement to dependent, in the order of the plan. */
function edges(plan: Plan): [from: string, to: string][] {
  return [...plan.tasks.values()].flatMap(({ task, requirements }) =>
    requirements.map(({ id }): [string, string] => [id, task.id]),
  );
}

interface GraphJson {
  readonly root: string;
  readonly tasks: readonly {
    readonly id: string;
    readonly name: string;
    readonly family: string;
    /** Every parameter as text. */
    readonly params: Readonly<Record<string, string>>;
    readonly queue: string;
    readonly state: TaskState;
    /** Task ids. Empty for complete tasks: nothing below them is looked at. */
    readonly requires: readonly string[];
  }[];
}

function graphJson(plan: Plan): GraphJson {
  return {
    root: plan.root.id,
    tasks: [...plan.tasks.values()].map(({ task, state, requirements }) => ({
      id: task.id,
      name: task.name,
      family: task.family.name,
      params: task.texts,
      queue: task.family.queue,
      state,
      requires: requirements.map(({ id }) => id),
    })),
  };
}
