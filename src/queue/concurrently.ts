/** Does work on many items, at most so many at the same time. The first error ends it. */
export async function concurrently<T>(
  limit: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const pending = items[Symbol.iterator]();
  const take = async () => {
    for (let next = pending.next(); next.done !== true; next = pending.next()) {
      await work(next.value);
    }
  };
  await Promise.all(Array.from({ length: limit }, take));
}
