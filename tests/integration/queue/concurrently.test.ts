/** Work on many items: how much at once, in which order, and what an error ends. */
import { expect, test } from "vitest";
import { concurrently } from "../../../src/queue/concurrently.ts";

test("work is begun in order, so much at the same time and no more", async () => {
  const begun: number[] = [];
  let atOnce = 0;
  let most = 0;
  await concurrently(2, [1, 2, 3, 4, 5], async (item) => {
    begun.push(item);
    atOnce += 1;
    most = Math.max(most, atOnce);
    await new Promise(setImmediate);
    atOnce -= 1;
  });
  expect(begun).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

test("after an error nothing more is begun, also by those who were at work beside it", async () => {
  const begun: number[] = [];
  const work = concurrently(2, [1, 2, 3, 4, 5], async (item) => {
    begun.push(item);
    await new Promise(setImmediate);
    if (item === 1) throw new Error("no");
  });
  await expect(work).rejects.toThrow("no");
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  expect(begun).toEqual([1, 2]);
});
