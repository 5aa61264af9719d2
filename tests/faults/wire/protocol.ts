/** What a fault proxy has to know of a protocol: where calls begin, and when one was answered. */

/** A piece of what a client sends; with a name when a call begins with it. */
export interface Frame {
  readonly bytes: Buffer;
  readonly call?: string;
  /** Answers that have to come for it; 1 unless given. */
  readonly answers?: number;
}

/** One connection, seen from the middle. Both sides are fed in order, in whatever pieces they come. */
export interface Conversation {
  requests(bytes: Buffer): readonly Frame[];
  /** The call is about to be sent: what comes from now on answers it. */
  forwarded?(frame: Frame): void;
  /** Whether the answer to the last call is whole with these bytes. */
  answered(bytes: Buffer): boolean;
}

export interface Protocol {
  /** What a server says that refuses a call; undefined: it hangs up. */
  readonly refusal?: (frame: Frame) => Buffer;
  /** Calls are passed on one by one, so that answers can be told apart. */
  readonly oneByOne: boolean;
  converse(): Conversation;
}
