import { expect, test } from "vitest";
import { Turns } from "../../../src/queue/turns.ts";

/** Commands that are answered by hand; `sent` has those whose turn has come. */
function commands() {
  const turns = new Turns();
  const sent: string[] = [];
  const answers = new Map<
    string,
    { resolve: (answer: string) => void; reject: (e: Error) => void }
  >();
  const send = (name: string) =>
    turns.take(
      () =>
        new Promise<string>((resolve, reject) => {
          sent.push(name);
          answers.set(name, { resolve, reject });
        }),
    );
  return { sent, answers, send };
}

test("two commands go at once, and the next when one of them is answered", async () => {
  const { sent, answers, send } = commands();
  const [a, b, c, d] = ["a", "b", "c", "d"].map(send);
  expect(sent).toEqual(["a", "b"]);
  answers.get("b")?.resolve("its answer");
  expect(await b).toBe("its answer");
  expect(sent).toEqual(["a", "b", "c"]);
  answers.get("a")?.reject(new Error("its error"));
  await expect(a).rejects.toThrow("its error");
  expect(sent).toEqual(["a", "b", "c", "d"]);
  for (const name of ["c", "d"]) answers.get(name)?.resolve("");
  await Promise.all([c, d]);
  for (const name of ["e", "f", "g"]) void send(name);
  expect(sent.slice(4)).toEqual(["e", "f"]);
});

test("the next one goes before anyone hears the answer", async () => {
  const { sent, answers, send } = commands();
  const first = send("a").then(() => [...sent]);
  void send("b");
  void send("c");
  answers.get("a")?.resolve("");
  expect(await first).toEqual(["a", "b", "c"]);
});

test("commands that are not answered hold up the others for a moment only", async () => {
  const { sent, answers, send } = commands();
  const dead = [send("dead 1"), send("dead 2")];
  void send("a");
  await expect.poll(() => sent).toContain("a");
  // Late answers give back no turn a second time.
  answers.get("dead 1")?.resolve("");
  answers.get("dead 2")?.resolve("");
  await Promise.all(dead);
  for (const name of ["b", "c"]) void send(name);
  expect(sent).toEqual(["dead 1", "dead 2", "a", "b"]);
});
