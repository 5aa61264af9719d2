/** Slices of at most `size`, so that no single command blocks Redis or this process for long. */
export function* chunk<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
