/**
 * Calls of one script that are made together, because replies arrived together, or while they wait for
 * their turn, leave as one command: with many attempts at work, a third of what a call costs, here and in
 * Redis, is the command. Each call is answered by itself. Knows nothing of what the script does.
 */
import { z } from "zod";
import type { Turns } from "./turns.ts";

export type Argument = string | number;
/** Sends one call of a script. */
export type Send = (key: string, args: readonly Argument[]) => Promise<unknown>;

interface Call {
  readonly key: string;
  readonly args: readonly Argument[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls in one command: Redis does nothing else meanwhile. */
const MOST = 100;

const replies = z.array(z.tuple([z.literal([0, 1]), z.unknown()]));

/** `send` is of a script that was put into `lua/includes/gathered.lua`. */
export function gathered(send: Send, turns: Turns): Send {
  const waiting: Call[] = [];
  let isAsked = false;
  const ask = () => {
    isAsked = true;
    // After the microtasks of what arrived, and before another connection is read.
    process.nextTick(() => void sendTogether());
  };
  /** Never rejects: who waits hears of it. */
  const sendTogether = async () => {
    let calls: readonly Call[] = [];
    try {
      const reply = await turns.take(() => {
        calls = waiting.splice(0, MOST);
        isAsked = false;
        if (waiting.length > 0) ask();
        return send(calls[0]?.key ?? "", [textOf(calls)]);
      });
      const answered = replies.parse(reply);
      for (const [index, { resolve, reject }] of calls.entries()) {
        const [ok, answer] = answered[index] ?? [0, "Redis gave no answer"];
        if (ok === 1) resolve(answer);
        else reject(new Error(String(answer)));
      }
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  };
  return (key, args) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, args, resolve, reject });
      if (!isAsked) ask();
    });
}

/** Of half a surrogate pair, which JSON keeps and Redis refuses to read, it makes what Redis would be sent. */
function textOf(calls: readonly Call[]): string {
  const text = (argument: Argument) => String(argument).toWellFormed();
  return JSON.stringify(calls.map(({ key, args }) => [key, args.map(text)]));
}
