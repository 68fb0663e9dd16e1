import { canonicalJson } from '../canonical-json.ts';
import type { Leaf } from './billing-fact.ts';
import { Refuted } from './outcome.ts';

const MEMBERS = 'data,id,metadata,recordedAt,revision,stream,type';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Reads the bytes of a leaf: canonical JSON of the members that an event has. @throws Refuted */
export function readLeaf(position: number, bytes: Uint8Array): Leaf {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text);
    if (isLeaf(value) && canonicalJson(value as never) === text) return value;
  } catch {}
  throw new Refuted('format', `the entry at position ${position} is not an event in canonical JSON`);
}

function isLeaf(value: unknown): value is Leaf {
  if (!isObject(value) || Object.keys(value).join() !== MEMBERS) return false;
  const { data, id, metadata, recordedAt, revision, stream, type } = value;
  const isEvent = [recordedAt, stream, type].every((text) => typeof text === 'string');
  const isPlaced = Number.isSafeInteger(revision) && (revision as number) >= 0;
  return isEvent && isPlaced && isObject(data) && isObject(metadata) && UUID.test(String(id));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
