/** Where a command prints: results on standard output, everything else on standard error. */

interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Terminal {
  readonly out: Output;
  readonly err: Output;
  readonly color: boolean;
  print(line: string): void;
  tell(line: string): void;
}

export function createTerminal(out: Output, err: Output, color: boolean): Terminal {
  return {
    out,
    err,
    color,
    print: (line) => void out.write(`${line}\n`),
    tell: (line) => void err.write(`${line}\n`),
  };
}
