/**
 * S3's order of keys: by the bytes of their UTF-8 form. JavaScript compares UTF-16 units, which
 * differs where a surrogate pair meets U+E000..U+FFFF; moving these ranges makes the two agree
 * without encoding a key.
 */

/** Negative, zero or positive, as `Array.sort` wants. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit >= 0xe0_00) return unit - 0x8_00;
  return unit >= 0xd8_00 ? unit + 0x20_00 : unit;
}
