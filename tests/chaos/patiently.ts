/** Opens what the harness itself needs, on a machine that is too busy to answer at once. */
import { UnreachableError } from "../../src/core/errors.ts";

const TRIES = 20;

export async function patiently<T>(open: () => Promise<T>): Promise<T> {
  for (let left = TRIES - 1; ; left--) {
    try {
      return await open();
    } catch (error) {
      if (left === 0 || !(error instanceof UnreachableError)) throw error;
    }
  }
}
