/** One line for one service of the development stack. */
import type { Part } from "../embedded/part.ts";

export function partLine({ name, address, detail, started, seconds }: Part): string {
  const how = started ? detail : `from ${detail}`;
  return `  ✓ ${name.toLowerCase().padEnd(10)} ${address}  ${how}  ${seconds.toFixed(1)} s`;
}
