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

/** A word that announces a secret, alone or at the end of a name such as `aws_secret_access_key`. */
const SECRET_NAME = /\w*(?:password|passwd|secret_access_key|session_token)/;
const QUOTED = /'(?:[^']|'')*'|"[^"]*"/;

/** `password=…`, `"password": "…"`, `PASSWORD '…'`. */
const ASSIGNED = new RegExp(
  `(${SECRET_NAME.source}["']?\\s*[=:]\\s*)(?:${QUOTED.source}|[^\\s,;'"&]+)`,
  "gi",
);
const SPACED = new RegExp(`(${SECRET_NAME.source}\\s+)(?:${QUOTED.source})`, "gi");

/** Takes passwords out of text that may reach logs, pages or Redis: a last belt, not the first. */
export function maskSecrets(text: string): string {
  return text
    .replace(/(\/\/[^\s:/@]*:)[^\s/]+@/g, "$1***@")
    .replace(ASSIGNED, "$1***")
    .replace(SPACED, "$1***");
}
