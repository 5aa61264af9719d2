/** HTTP/1.1 as S3 clients and webhooks speak it: a call is a request, named by what it is about. */
import type { Conversation, Frame, Protocol } from "./protocol.ts";

export const httpProtocol: Protocol = {
  oneByOne: false,
  converse: () => new HttpConversation(),
};

class HttpConversation implements Conversation {
  #head: Buffer = Buffer.alloc(0);
  #body = 0;

  requests(bytes: Buffer): readonly Frame[] {
    const frames: Frame[] = [];
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#body > 0) {
        const part = rest.subarray(0, this.#body);
        this.#body -= part.length;
        rest = rest.subarray(part.length);
        frames.push({ bytes: part });
        continue;
      }
      this.#head = Buffer.concat([this.#head, rest]);
      const end = this.#head.indexOf("\r\n\r\n");
      if (end < 0) return frames;
      const head = this.#head.subarray(0, end + 4);
      rest = this.#head.subarray(end + 4);
      this.#head = Buffer.alloc(0);
      const text = head.toString("latin1");
      this.#body = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
      frames.push({ bytes: head, call: nameOf(text) });
    }
    return frames;
  }

  answered(bytes: Buffer): boolean {
    return !bytes.toString("latin1", 0, 12).startsWith("HTTP/1.1 100");
  }
}

/** `PUT manifest.json`, `GET ?list-type`, `POST big.csv.gz?uploads`. */
function nameOf(head: string): string {
  const [method = "", target = ""] = head.slice(0, head.indexOf("\r\n")).split(" ");
  const { pathname, searchParams } = new URL(target, "http://host");
  const about = [...searchParams.keys()].filter((key) =>
    ["list-type", "uploads", "uploadId", "delete"].includes(key),
  );
  const file =
    about.includes("list-type") || about.includes("delete")
      ? ""
      : ` ${pathname.split("/").at(-1) ?? ""}`;
  return `${method}${file}${about.length > 0 ? ` ?${about.join("&")}` : ""}`;
}
