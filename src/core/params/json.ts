/**
 * Lists and dicts, as JSON printed by Python. Values are frozen. Without an item codec they hold
 * any JSON; with one, each member is a value of that codec: `[1, 2]`, `["2015-11-04"]`.
 */
import type { z } from "zod";
import {
  isPlainObject,
  type JsonValue,
  orderedKeys,
  orderedRecord,
  parsePythonJson,
  pythonJsonMembers,
  pythonJsonString,
  pythonJsonText,
} from "../python-json.ts";
import { describeParam, encodeText, type ParamKind } from "./codec.ts";

/** The codec of a member. Not an optional one: its text would be empty. */
export type ItemCodec<T> = z.ZodType<T, string>;

export const list: ParamKind<readonly JsonValue[]> = {
  name: "list",
  form: "a JSON list",
  decode: (text) => parsed(text, isList),
  encode: (value) => (Array.isArray(value) ? pythonJsonText(value) : undefined),
  jsonLiteral: (text) => text,
};

export const dict: ParamKind<Readonly<Record<string, JsonValue>>> = {
  name: "dict",
  form: "a JSON object",
  decode: (text) => parsed(text, isRecord),
  encode: (value) => (isPlainObject(value) ? pythonJsonText(value) : undefined),
  jsonLiteral: (text) => text,
};

export function listOf<T>(item: ItemCodec<T>): ParamKind<readonly T[]> {
  return {
    ...list,
    form: `a JSON list${formOfItems(item)}`,
    decode: (text) => {
      const members = decodeMembers(parsed(text, isList), item);
      return members && Object.freeze([...members.values()]);
    },
    encode: (value) => {
      if (!Array.isArray(value)) return undefined;
      const texts = Array.from(value, (member: unknown) => encodeMember(member, item));
      return texts.includes(undefined) ? undefined : `[${texts.join(", ")}]`;
    },
  };
}

export function dictOf<T>(item: ItemCodec<T>): ParamKind<Readonly<Record<string, T>>> {
  return {
    ...dict,
    form: `a JSON object${formOfItems(item)}`,
    decode: (text) => {
      const members = decodeMembers(parsed(text, isRecord), item);
      return members && orderedRecord(members);
    },
    encode: (value) => {
      if (!isPlainObject(value)) return undefined;
      const members: string[] = [];
      for (const key of orderedKeys(value)) {
        const text = encodeMember(Reflect.get(value, key), item);
        if (text === undefined) return undefined;
        members.push(`${pythonJsonString(key)}: ${text}`);
      }
      return `{${members.join(", ")}}`;
    },
  };
}

function decodeMembers<T>(
  container: object | undefined,
  item: ItemCodec<T>,
): Map<string, T> | undefined {
  if (container === undefined) return undefined;
  const isLiteral = describeParam(item)?.jsonLiteral !== undefined;
  const values = new Map<string, T>();
  for (const [key, literal] of pythonJsonMembers(container)) {
    const text: unknown = isLiteral ? literal : Reflect.get(container, key);
    const result = typeof text === "string" ? item.safeDecode(text) : undefined;
    if (result?.success !== true) return undefined;
    values.set(key, result.data);
  }
  return values;
}

function encodeMember<T>(member: unknown, item: ItemCodec<T>): string | undefined {
  const text = encodeText(item, member);
  if (text === undefined) return undefined;
  return (describeParam(item)?.jsonLiteral ?? pythonJsonString)(text);
}

function formOfItems(item: z.core.$ZodType): string {
  const form = describeParam(item)?.form;
  return form === undefined ? "" : ` with members of the form ${form}`;
}

function parsed<T extends JsonValue>(
  text: string,
  accepts: (value: JsonValue) => value is T,
): T | undefined {
  try {
    const value = parsePythonJson(text);
    return accepts(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isRecord(value: JsonValue): value is { readonly [key: string]: JsonValue } {
  return isPlainObject(value);
}
