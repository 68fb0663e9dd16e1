/** JSON Schema as the OpenAPI document has it: what zod writes, in the form that generators of clients understand. */
import type { z } from 'zod';

/** A part of the document: an object of JSON. */
export interface Node {
  [key: string]: unknown;
}

const COMPONENTS = '#/components/schemas/';

/** Changes the JSON Schema that zod writes where generators of clients would misread it. */
export function override({
  zodSchema,
  jsonSchema,
}: {
  readonly zodSchema: z.core.$ZodType;
  readonly jsonSchema: Node;
}): void {
  const { def } = zodSchema._zod;
  // `readonly` is about the code of the ledger. In OpenAPI the word means that requests must not have the property.
  delete jsonSchema['readOnly'];
  if (def.type === 'union' && 'discriminator' in def)
    jsonSchema['discriminator'] = { propertyName: def.discriminator };
  if (jsonSchema['type'] !== 'integer') return;
  // The query has numbers as text. Clients should see numbers.
  delete jsonSchema['pattern'];
  if (jsonSchema['default'] !== undefined) jsonSchema['default'] = Number(jsonSchema['default']);
  if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER) delete jsonSchema['minimum'];
  if (jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER) delete jsonSchema['maximum'];
}

/** Calls a function with every object in a part of the document, itself included, from the inside out. */
export function visit(part: unknown, call: (node: Node) => void): void {
  if (typeof part !== 'object' || part === null) return;
  for (const child of Object.values(part)) visit(child, call);
  if (!Array.isArray(part)) call(part as Node);
}

function referenced(part: unknown): Set<string> {
  const names = new Set<string>();
  visit(part, ({ $ref }) => {
    if (typeof $ref === 'string' && $ref.startsWith(COMPONENTS)) names.add($ref.slice(COMPONENTS.length));
  });
  return names;
}

/** Returns the schemas that a part of the document refers to, directly or through others, in order of their names. */
function reachable(part: unknown, schemas: Readonly<Node>): Node {
  const found = new Set<string>();
  const waiting = [...referenced(part)];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    waiting.push(...referenced(schemas[name]));
  }
  return Object.fromEntries([...found].sort().map((name) => [name, schemas[name]]));
}

/**
 * Returns the schemas that the paths use, each under one name: a schema that is the same in requests and in answers, or that
 * only requests have, loses the suffix `Input`. Changes the references in the paths.
 */
export function tidySchemas(paths: Node, all: Readonly<Node>): Node {
  const used = reachable(paths, all);
  const renamed = new Map<string, string>();
  for (const name of Object.keys(used)) {
    const own = name.replace(/Input$/, '');
    if (own === name) continue;
    const isSame = JSON.stringify(used[name]).replaceAll('Input"', '"') === JSON.stringify(used[own]);
    if (used[own] === undefined || isSame) renamed.set(name, own);
  }
  const rename = (part: unknown) =>
    visit(part, (node) => {
      const name = typeof node['$ref'] === 'string' ? node['$ref'].slice(COMPONENTS.length) : '';
      const own = renamed.get(name);
      if (own !== undefined) node['$ref'] = `${COMPONENTS}${own}`;
    });
  rename(paths);
  const schemas: Node = {};
  for (const [name, schema] of Object.entries(used)) schemas[renamed.get(name) ?? name] ??= schema;
  rename(schemas);
  const parts = [paths, schemas];
  for (const part of parts) visit(part, (node) => mapDiscriminator(node, schemas));
  return reachable(paths, schemas);
}

/** Names the schema of each value of a discriminator. Without names for all members there is none: OpenAPI needs them. */
function mapDiscriminator(node: Node, schemas: Readonly<Node>): void {
  const { discriminator, oneOf, anyOf } = node as {
    discriminator?: { propertyName: string; mapping?: Node };
    oneOf?: Node[];
    anyOf?: Node[];
  };
  const members = oneOf ?? anyOf;
  if (discriminator?.propertyName === undefined || !Array.isArray(members)) return;
  const mapping: Node = {};
  for (const { $ref } of members) {
    const schema = schemas[String($ref).slice(COMPONENTS.length)] as { properties?: Node } | undefined;
    const { const: value, enum: values = [value] } = (schema?.properties?.[discriminator.propertyName] ??
      {}) as {
      const?: unknown;
      enum?: unknown[];
    };
    for (const each of values) if (each !== undefined) mapping[String(each)] = $ref;
  }
  if (members.every(({ $ref }) => Object.values(mapping).includes($ref))) discriminator.mapping = mapping;
  else delete node['discriminator'];
}
