/** Writes docs/query-parameters.md from the OpenAPI document. */
import { PERIOD } from '../../domain/time.ts';

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}
interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly anyOf?: readonly Schema[];
}
interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly Parameter[];
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const HEAD = `<!-- Written by \`npx vitest run test/http/openapi.test.ts -u\`. -->

# Query parameters

This page lists the query parameters of every operation, from the OpenAPI document. An unknown parameter is an error.

- \`limit\` and \`cursor\` page through a list. Repeat the other parameters on every page. All pages show the moment of the first.
- \`minPosition\` waits up to 2 s until the ledger has read a position. Give the position of your last write.
- \`asOf\` uses only the facts known at a position or instant. \`through\` limits the time that is counted.
`;

/** Returns the page. */
export function parametersPage({ paths }: Document): string {
  const sections = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { summary = '', parameters = [] }]) => {
      const query = parameters.filter((parameter) => parameter.in === 'query');
      return query.length === 0 ? [] : [section(`${method.toUpperCase()} ${path}`, summary, query)];
    }),
  );
  return [HEAD, ...sections.sort()].join('\n');
}

function section(name: string, summary: string, parameters: readonly Parameter[]): string {
  const rows = parameters.map(({ name: parameter, required = false, description = '', schema }) => {
    const given = schema.default === undefined ? (required ? 'required' : '') : `\`${schema.default}\``;
    return `| \`${parameter}\` | ${valuesOf(schema)} | ${given} | ${description.replaceAll('|', '\\|')} |`;
  });
  const head = ['| parameter | values | default | meaning |', '| --- | --- | --- | --- |'];
  return [`## \`${name}\``, '', `${summary}.`, '', ...head, ...rows, ''].join('\n');
}

/** Says in words which values a parameter takes. */
function valuesOf({ type, format, enum: values, minimum, maximum, pattern, anyOf }: Schema): string {
  if (anyOf !== undefined) return [...new Set(anyOf.map(valuesOf))].join(' or ');
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (type === 'integer')
    return `${minimum?.toLocaleString('en')} ${maximum === undefined ? 'or more' : `to ${maximum.toLocaleString('en')}`}`;
  if (format === 'date-time') return 'an RFC 3339 instant';
  if (pattern === PERIOD.source) return 'a month';
  return pattern === '^(0|[1-9]\\d{0,14})$' ? 'a position' : 'text';
}
