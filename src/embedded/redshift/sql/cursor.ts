/** Walks through the tokens of one statement. */

import type { SqlError } from "../sql-error.ts";
import { isSymbol, isWord, syntaxError, type Token } from "./token.ts";

export class Cursor {
  readonly tokens: readonly Token[];
  readonly #sql: string;
  #at = 0;

  constructor(tokens: readonly Token[], sql: string) {
    this.tokens = tokens;
    this.#sql = sql;
  }

  get done(): boolean {
    return this.#at >= this.tokens.length;
  }

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.#at + ahead];
  }

  take(): Token {
    const token = this.peek();
    if (token === undefined) throw this.error();
    this.#at += 1;
    return token;
  }

  /** Takes the words if they come next, all of them. */
  takeWords(...words: readonly string[]): boolean {
    if (!words.every((word, ahead) => isWord(this.peek(ahead), word))) return false;
    this.#at += words.length;
    return true;
  }

  /** Takes the next word if it is one of these. */
  takeOneOf<Word extends string>(...words: readonly Word[]): Word | undefined {
    const found = words.find((word) => isWord(this.peek(), word));
    if (found !== undefined) this.#at += 1;
    return found;
  }

  takeSymbol(symbol: string): boolean {
    const found = isSymbol(this.peek(), symbol);
    if (found) this.#at += 1;
    return found;
  }

  expectWord(...words: readonly string[]): string {
    const token = this.peek();
    if (!isWord(token, ...words)) throw this.error();
    return this.take().value;
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.error();
  }

  string(): string {
    if (this.peek()?.kind !== "string") throw this.error();
    return this.take().value;
  }

  integer(): number {
    const token = this.peek();
    if (token?.kind === "string" && /^\d+$/.test(token.value)) return Number(this.take().value);
    if (token?.kind !== "number" || !/^\d+$/.test(token.value)) throw this.error();
    return Number(this.take().value);
  }

  /** A name, folded as Redshift does. */
  name(): string {
    const token = this.peek();
    if (token?.kind !== "word" && token?.kind !== "name") throw this.error();
    this.#at += 1;
    return token.kind === "word" ? token.value.toLowerCase() : token.value;
  }

  /** `schema.table` or `table`. */
  qualifiedName(): readonly string[] {
    const names = [this.name()];
    while (this.takeSymbol(".")) names.push(this.name());
    return names;
  }

  /** `(a, b)` */
  nameList(): readonly string[] {
    this.expectSymbol("(");
    const names = [this.name()];
    while (this.takeSymbol(",")) names.push(this.name());
    this.expectSymbol(")");
    return names;
  }

  /** What stands in the brackets that open here, without them. */
  bracketed(): readonly Token[] {
    this.expectSymbol("(");
    const from = this.#at;
    for (let depth = 1; depth > 0; ) {
      const token = this.take();
      if (isSymbol(token, "(")) depth += 1;
      if (isSymbol(token, ")")) depth -= 1;
    }
    return this.tokens.slice(from, this.#at - 1);
  }

  /** Everything that is left, taken. */
  rest(): readonly Token[] {
    const left = this.tokens.slice(this.#at);
    this.#at = this.tokens.length;
    return left;
  }

  expectEnd(): void {
    if (!this.done) throw this.error();
  }

  error(): SqlError {
    return syntaxError(this.peek(), this.#sql);
  }
}
