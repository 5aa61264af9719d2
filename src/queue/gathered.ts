/**
 * Calls of one script that are made together, because replies arrived together, leave as one command:
 * with many attempts at work, a third of what a call costs, here and in Redis, is the command. Each call
 * is answered by itself. Knows nothing of what the script does.
 */
import { z } from "zod";

export type Argument = string | number | Buffer;
/** Sends one call of a script. */
export type Send = (key: string, args: readonly Argument[]) => Promise<unknown>;
/** Sends all arguments of a command. */
export type SendCommand = (args: readonly Argument[]) => Promise<unknown>;

interface Call {
  readonly key: string;
  readonly args: readonly Argument[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Calls in one command: Redis does nothing else meanwhile. */
const MOST = 100;

const replies = z.array(z.tuple([z.literal([0, 1]), z.unknown()]));

/** `send` is of a script that was put into `lua/includes/gathered.lua`. */
export function gathered(send: SendCommand): Send {
  let waiting: Call[] = [];
  const sendAll = () => {
    const all = waiting;
    waiting = [];
    for (let from = 0; from < all.length; from += MOST)
      void answer(send, all.slice(from, from + MOST));
  };
  return (key, args) =>
    new Promise((resolve, reject) => {
      // After the microtasks of what arrived, and before another connection is read.
      if (waiting.length === 0) process.nextTick(sendAll);
      waiting.push({ key, args, resolve, reject });
    });
}

/** Never rejects: who waits hears of it. */
async function answer(send: SendCommand, calls: readonly Call[]): Promise<void> {
  const args: Argument[] = [calls.length];
  for (const { key } of calls) args.push(key);
  for (const call of calls) {
    args.push(call.args.length);
    // Not spread: a call may have 100,000 arguments.
    for (const argument of call.args) args.push(argument);
  }
  try {
    const answered = replies.parse(await send(args));
    for (const [index, { resolve, reject }] of calls.entries()) {
      const [ok, reply] = answered[index] ?? [0, "Redis gave no answer"];
      if (ok === 1) resolve(reply);
      else reject(new Error(String(reply)));
    }
  } catch (error) {
    for (const { reject } of calls)
      reject(error instanceof Error ? error : new Error(String(error)));
  }
}
