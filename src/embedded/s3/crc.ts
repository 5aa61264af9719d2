/**
 * The cyclic checksums of S3: CRC32 (Node's own), CRC32C and CRC64/NVME (by table), and their
 * combination: the checksum of A+B from those of A and B, which S3 needs for the full-object
 * checksum of a multipart upload without reading the parts again.
 */
import { crc32 } from "node:zlib";

export type CrcName = "crc32" | "crc32c" | "crc64nvme";

/** A running checksum. */
export interface Digest {
  update(chunk: Uint8Array): void;
  digest(): Buffer;
}

interface Polynomial {
  readonly width: 32 | 64;
  /** Bit-reversed, as all three are computed least significant bit first. */
  readonly reversed: bigint;
}

const POLYNOMIALS: Readonly<Record<CrcName, Polynomial>> = {
  crc32: { width: 32, reversed: 0xed_b8_83_20n },
  crc32c: { width: 32, reversed: 0x82_f6_3b_78n },
  crc64nvme: { width: 64, reversed: 0x9a_6c_93_29_ac_4b_c9_b5n },
};

/** Starts a checksum. */
export function createCrc(name: CrcName): Digest {
  if (name === "crc32") return new Crc32();
  return name === "crc32c" ? new Crc32c() : new Crc64Nvme();
}

class Crc32 implements Digest {
  #state = 0;

  update(chunk: Uint8Array): void {
    this.#state = crc32(chunk, this.#state);
  }

  digest(): Buffer {
    return bigEndian(BigInt(this.#state >>> 0), 32);
  }
}

let crc32cTable: Uint32Array | undefined;

class Crc32c implements Digest {
  #state = 0xff_ff_ff_ff;
  readonly #table = (crc32cTable ??= Uint32Array.from(tableOf(POLYNOMIALS.crc32c), Number));

  update(chunk: Uint8Array): void {
    const table = this.#table;
    let state = this.#state;
    // A plain index loop: the tables are always hit, `?? 0` only tells the compiler so.
    for (let index = 0; index < chunk.length; index++) {
      state = (table[(state ^ (chunk[index] ?? 0)) & 0xff] ?? 0) ^ (state >>> 8);
    }
    this.#state = state;
  }

  digest(): Buffer {
    return bigEndian(BigInt((this.#state ^ 0xff_ff_ff_ff) >>> 0), 32);
  }
}

let crc64Tables: { readonly low: Int32Array; readonly high: Int32Array } | undefined;

/** Kept as two 32-bit halves: BigInt arithmetic per byte is a hundred times slower. */
class Crc64Nvme implements Digest {
  #low = -1;
  #high = -1;
  readonly #tables = (crc64Tables ??= crc64Halves());

  update(chunk: Uint8Array): void {
    const { low: lowTable, high: highTable } = this.#tables;
    let low = this.#low;
    let high = this.#high;
    for (let index = 0; index < chunk.length; index++) {
      const slot = (low ^ (chunk[index] ?? 0)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (lowTable[slot] ?? 0);
      high = (high >>> 8) ^ (highTable[slot] ?? 0);
    }
    this.#low = low;
    this.#high = high;
  }

  digest(): Buffer {
    return bigEndian((BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0), 64);
  }
}

function crc64Halves(): { readonly low: Int32Array; readonly high: Int32Array } {
  const table = tableOf(POLYNOMIALS.crc64nvme);
  return {
    low: Int32Array.from(table, (entry) => Number(BigInt.asIntN(32, entry))),
    high: Int32Array.from(table, (entry) => Number(BigInt.asIntN(32, entry >> 32n))),
  };
}

function tableOf({ reversed }: Polynomial): bigint[] {
  return Array.from({ length: 256 }, (_, byte) => {
    let entry = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) entry = entry & 1n ? (entry >> 1n) ^ reversed : entry >> 1n;
    return entry;
  });
}

/** The checksum of a whole from the checksums and lengths of its parts, in order. */
export function combineCrcs(
  name: CrcName,
  parts: readonly { readonly digest: Buffer; readonly length: number }[],
): Buffer {
  const polynomial = POLYNOMIALS[name];
  const shifts = new Map<number, bigint>();
  let total = 0n;
  for (const { digest, length } of parts) {
    const shift = shifts.get(length) ?? shiftByBytes(polynomial, length);
    shifts.set(length, shift);
    total = multiply(polynomial, shift, total) ^ BigInt(`0x${digest.toString("hex")}`);
  }
  return bigEndian(total, polynomial.width);
}

/** x^(8 * bytes) modulo the polynomial, by squaring. */
function shiftByBytes(polynomial: Polynomial, bytes: number): bigint {
  const one = 1n << BigInt(polynomial.width - 1);
  let result = one;
  let power = one >> 8n;
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(polynomial, power, result);
    power = multiply(polynomial, power, power);
  }
  return result;
}

function multiply({ width, reversed }: Polynomial, a: bigint, b: bigint): bigint {
  let product = 0n;
  let multiple = b;
  for (let bit = 1n << BigInt(width - 1); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= multiple;
    multiple = multiple & 1n ? (multiple >> 1n) ^ reversed : multiple >> 1n;
  }
  return product;
}

function bigEndian(value: bigint, width: 32 | 64): Buffer {
  const bytes = Buffer.alloc(width / 8);
  if (width === 64) bytes.writeBigUInt64BE(value);
  else bytes.writeUInt32BE(Number(value));
  return bytes;
}
