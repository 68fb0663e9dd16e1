/** Writes docs/events.md from the OpenAPI document: every event type with its fields and an example. */
import { cloudEventType } from '../../domain/facts/cloud-event.ts';
import { FACT_TYPES, type FactType } from '../../domain/facts/fact.ts';
import { EVENT_EXAMPLES } from '../ingest/examples.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
}
interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const HEAD = `<!-- Written by \`npx vitest run test/http/openapi-events.test.ts -u\`. -->

# Events

These are the event types that the ledger accepts, with the fields of their \`data\` and an example of each. Post an event to
\`/v1/events\` ([how to post facts](how-to/post-facts.md)), with \`cluster-ledger events append\`, or through the outbox of
[\`@cluster-ledger/client\`](../packages/client/README.md).

Every event is a [CloudEvent](https://cloudevents.io) in JSON with \`specversion\`, \`id\`, \`source\`, \`type\`, \`subject\` (the id
of the cluster) and \`time\` (when the change took effect). A field that is not listed is an error. If no field is required,
\`data\` can be left out.

The types \`billing.stopped\`, \`billing.resumed\` and \`fact.voided\` need an operator.
[billing-rules.md](billing-rules.md) says what each type does to the bill.
`;

const MEANINGS: Readonly<Record<string, string>> = {
  accountId: 'The account that is billed.',
  name: 'Name of the cluster, for people.',
  clusterType: 'Type of the cluster. Usage is also counted by type, so that types can have different prices.',
  cloudProvider: 'Cloud provider, for reports.',
  region: 'Region of the provider, for reports.',
  labels: 'Labels, for filters, reports and policies of the validator. At most 64.',
  billable: 'Whether the cluster is billed. `true` if it is not given.',
  connection:
    'Reference to the credential with which the validator asks the cluster; never the credential itself.',
  deletionId: 'Name of the deletion, which its events share.',
  reason: 'Why, for those who read the bill.',
  since: 'From when the cluster did not answer, or answered again.',
  evidence: 'What was seen, as any JSON object.',
  policy: 'Name and version of the policy that decided.',
  cause: 'What stops the billing. Each cause is independent of the others.',
  voids: 'Event id of the fact that was wrong.',
};

/** Returns the page. */
export function eventsPage({ components: { schemas } }: Document): string {
  const list = FACT_TYPES.map((type) => `- [\`${nameOf(type)}\`](#${anchorOf(type)}): ${summaryOf(type)}`);
  return [HEAD, ...list, '', ...FACT_TYPES.map((type) => section(type, schemas))].join('\n');
}

function section(type: FactType, schemas: Document['components']['schemas']): string {
  const data = resolve(resolve(schemas[`${type}Event`], schemas)?.properties?.['data'], schemas);
  const fields = Object.entries(data?.properties ?? {}).map(([name, schema]) => {
    const isRequired = data?.required?.includes(name) === true;
    const values = valuesOf(resolve(schema, schemas) ?? {});
    return `| \`${name}\` | ${values} | ${isRequired ? 'required' : ''} | ${MEANINGS[name] ?? ''} |`;
  });
  const table = ['| field | values |  | meaning |', '| --- | --- | --- | --- |', ...fields];
  return [
    `## ${nameOf(type)}`,
    '',
    `\`${cloudEventType(type)}\`: ${summaryOf(type)}`,
    '',
    ...(fields.length === 0 ? ['It has no fields.'] : table),
    '',
    '```json',
    JSON.stringify(EVENT_EXAMPLES[type]?.value, null, 2),
    '```',
    '',
  ].join('\n');
}

function nameOf(type: FactType): string {
  return cloudEventType(type).replace(/^io\.clusterledger\.|\.v1$/g, '');
}

function anchorOf(type: FactType): string {
  return nameOf(type).replaceAll('.', '');
}

function summaryOf(type: FactType): string {
  return EVENT_EXAMPLES[type]?.summary ?? '';
}

function resolve(schema: Schema | undefined, schemas: Document['components']['schemas']): Schema | undefined {
  if (schema?.$ref === undefined) return schema;
  return resolve(schemas[schema.$ref.replace(/^.*\//, '')], schemas);
}

/** Says in words which values a field takes. */
function valuesOf({
  type,
  format,
  enum: values,
  pattern,
  minLength,
  maxLength,
  additionalProperties,
}: Schema): string {
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (format === 'date-time') return 'an RFC 3339 instant';
  if (format === 'uuid') return 'a UUID';
  if (type === 'boolean') return '`true` or `false`';
  if (type === 'object') return additionalProperties === undefined ? 'an object' : 'an object with any keys';
  if (pattern !== undefined) return `text like \`${pattern.replaceAll('|', '\\|')}\``;
  if (maxLength === undefined) return 'text';
  return `text of ${minLength ?? 0} to ${maxLength.toLocaleString('en')} characters`;
}
