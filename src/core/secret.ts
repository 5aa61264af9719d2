/** A value that prints as `***` in every printer. `reveal()` is the only way to read it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "***";
  }
}

/** Takes passwords out of text that may reach logs, pages or Redis: a last belt, not the first. */
export function maskSecrets(text: string): string {
  return text
    .replace(/(\/\/[^\s:/@]*):[^\s@/]+@/g, "$1:***@")
    .replace(
      /\b(password|secret_access_key|session_token)(\s*[=:]?\s*)('[^']*'|"[^"]*"|[^\s,;]+)/gi,
      "$1$2***",
    );
}
