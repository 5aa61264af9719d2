/** The formats of `sluice graph`, apart from what draws them: `--help` must not load that. */
export const GRAPH_FORMATS = ["mermaid", "dot", "json"] as const;
