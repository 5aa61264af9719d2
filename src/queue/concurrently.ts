/**
 * Does work on many items, begun in their order, at most so many at the same time. After the first error
 * nothing more is begun.
 */
export async function concurrently<T>(
  limit: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const pending = items[Symbol.iterator]();
  let failed = false;
  const take = async () => {
    for (let next = pending.next(); next.done !== true && !failed; next = pending.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, take));
}
