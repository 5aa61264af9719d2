/** Parameters that name places in the bucket. What they accept is what targets accept. */
import { type ParamOptions, paramCodec, type ValueCodec } from "../core/params/codec.ts";
import { isKey, isPrefix, KEY_FORM, PREFIX_FORM } from "../targets/s3-key.ts";

/** `exports/orders.csv.gz` */
export function keyParam(options?: ParamOptions): ValueCodec<string> {
  return textParam("key", KEY_FORM, isKey, options);
}

/** `dumps/orders/2026-11-21/` */
export function prefixParam(options?: ParamOptions): ValueCodec<string> {
  return textParam("prefix", PREFIX_FORM, isPrefix, options);
}

/** One object, or everything below a prefix. */
export function placeParam(options?: ParamOptions): ValueCodec<string> {
  return textParam(
    "place",
    `${KEY_FORM}, or ${PREFIX_FORM}`,
    (text) => isKey(text) || isPrefix(text),
    options,
  );
}

function textParam(
  name: string,
  form: string,
  accepts: (text: string) => boolean,
  options: ParamOptions | undefined,
): ValueCodec<string> {
  const checked = (text: unknown) => (typeof text === "string" && accepts(text) ? text : undefined);
  return paramCodec({ name, form, decode: checked, encode: checked }, options);
}
