import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { Ruleset, Spectral } from '@stoplight/spectral-core';
import { oas } from '@stoplight/spectral-rulesets';
import { describe, expect, test } from 'vitest';
import { CLOUD_EVENT_TYPES } from '../../src/domain/facts/cloud-event.ts';
import { FACT_TYPES } from '../../src/domain/facts/fact.ts';
import { parametersPage } from '../../src/http/openapi/parameters-page.ts';
import { visit } from '../../src/http/openapi/schemas.ts';
import {
  deleted,
  event,
  inBatchMode,
  inBinaryMode,
  inStructuredMode,
  type Message,
  registered,
  stopped,
} from '../support/cloud-events.ts';
import { Contract, type Schema } from '../support/contract.ts';
import type { Answer, Recorded } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { NO_CREDENTIAL, REFUSED, TestValidator } from '../support/validator.ts';

const run = promisify(execFile);

const APRIL = '2026-04-01T00:00:00.000Z';

let contract: Contract;
let recorded: Recorded[];
const ledger = sharedLedger(async (it) => {
  contract = new Contract((await it.get('/openapi.json')).body);
  recorded = await it.record(
    registered('c1', APRIL, 'acme', { labels: { team: 'a' }, region: 'eu' }),
    stopped('c1', '2026-04-02T00:00:00Z'),
    registered('c2', APRIL, 'globex', { billable: false }),
    event(
      'cluster.unreachable',
      'c3',
      APRIL,
      { evidence: { tries: 3, last: null } },
      { traceid: 't', flag: true },
    ),
  );
  await it.post(deleted('c2', '2027-01-01T00:00:00Z'));
  await it.record(registered('c4', '2026-03-10T00:00:00Z', 'initech'));
  await it.fetch('/v1/periods/2026-03/close', { method: 'POST' });
  const validator = new TestValidator(it);
  const observe = { unreachableAfter: 1, unreachableFor: '0m', mode: 'observe', policies: [] };
  await validator.run({ c1: REFUSED, c2: NO_CREDENTIAL, c4: REFUSED }, { settings: observe });
});

/** Expects an answer to be as the document says of this operation, status and media type. */
function isAsDocumented(name: string, answer: Answer): void {
  expect(contract.faultsOf(name, answer), name).toEqual([]);
}

describe('the OpenAPI document', () => {
  test('is version 3.1, of the release that runs', () => {
    expect(contract.document.openapi).toBe('3.1.0');
    expect(contract.document.info.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('contains every route under /v1, and no other', () => {
    const routes = routesOf(ledger().rooms.app.printRoutes({ commonPrefix: false }));
    const served = routes.filter((route) => route.includes(' /v1/') && !route.startsWith('HEAD '));
    expect(served.length).toBeGreaterThan(10);
    const documented = contract.operations.map(({ name }) => name).filter((name) => name.includes(' /v1/'));
    expect(documented.sort()).toEqual(served.sort());
  });

  test('gives every operation a unique id and a summary', () => {
    const ids = contract.operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, operation } of contract.operations) {
      expect(operation.operationId, name).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary?.length ?? 0, name).toBeGreaterThan(5);
      expect(operation.tags?.length, name).toBe(1);
    }
  });

  test('names the problems of every operation by status and code, and its own answers', () => {
    for (const { name, operation } of contract.operations) {
      const statuses = Object.keys(operation.responses);
      expect(statuses, name).toEqual(expect.arrayContaining(['400', '421', '500', '503']));
      for (const status of statuses) {
        expect(status, name).toMatch(/^[2-5]\d\d$/);
        const response = contract.response(operation, status);
        expect(response?.description.length, `${name} ${status}`).toBeGreaterThan(5);
        if (Number(status) < 400) continue;
        expect(response?.['x-problem-codes']?.length, `${name} ${status}`).toBeGreaterThan(0);
        expect(response?.content, `${name} ${status}`).toHaveProperty(['application/problem+json']);
      }
    }
  });

  test('describes every operation and every parameter', () => {
    for (const { name, operation } of contract.operations) {
      expect(operation.description?.length ?? 0, name).toBeGreaterThan(20);
      for (const parameter of operation.parameters ?? [])
        expect(parameter.description?.length ?? 0, `${name} ${parameter.name}`).toBeGreaterThan(5);
    }
  });

  test('has numbers as integers with bounds', () => {
    const limits = contract.operations.flatMap(({ operation }) =>
      (operation.parameters ?? []).filter(({ name }) => name === 'limit'),
    );
    expect(limits.length).toBeGreaterThan(5);
    for (const { schema } of limits)
      expect(schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 1_000 });
    expect(limits.filter(({ schema }) => schema['default'] === 100).length).toBeGreaterThan(3);
  });

  test('has one schema for each media type of POST /v1/events, with an example of every event type', async () => {
    const content = contract.operation('POST /v1/events').requestBody?.content ?? {};
    const schemas = Object.values(content).map(({ schema }) => JSON.stringify(schema));
    expect(new Set(schemas).size).toBe(3);
    const examples = Object.values(content['application/cloudevents+json']?.examples ?? {});
    const types = examples.map(({ value }) => (value as { type: string }).type);
    expect(types.sort()).toEqual([...CLOUD_EVENT_TYPES].sort());
  });

  test('has a type for every value, but for evidence of any form and for events as they were posted or stored', () => {
    const untyped: string[] = [];
    const walk = (node: unknown, path: string) => {
      if (typeof node !== 'object' || node === null) return;
      if (/\/(properties\/[^/]+|items|additionalProperties)$/.test(path) && !Array.isArray(node)) {
        const { description: _, ...schema } = node as Schema;
        if (Object.keys(schema).length === 0 || schema['$ref'] === '#/components/schemas/Json')
          untyped.push(path);
      }
      for (const [key, child] of Object.entries(node)) walk(child, `${path}/${key}`);
    };
    walk(contract.document.components.schemas, '');
    walk(contract.document.paths, '');
    const free =
      /(\/evidence|\/leaf\/properties\/(data|metadata)|^\/(KeptEvent|Recorded\w+)|\/allOf\/1|\/data)(\/additionalProperties)?$/;
    expect(untyped.filter((path) => !free.test(path))).toEqual([]);
  });

  test('has examples that fit their schemas', () => {
    let count = 0;
    for (const { name, operation } of contract.operations) {
      const contents = [
        operation.requestBody?.content,
        ...Object.values(operation.responses).map(({ content }) => content),
      ];
      for (const { schema, examples } of contents.flatMap((content) => Object.values(content ?? {})))
        for (const [title, { value }] of Object.entries(examples ?? {})) {
          expect(contract.errorsOf(schema, value), `${name}: ${title}`).toEqual([]);
          count++;
        }
    }
    expect(count).toBeGreaterThan(FACT_TYPES.length);
  });

  test('has a discriminator for every choice between objects', () => {
    visit(contract.document, (node) => {
      const members = (node['oneOf'] ?? []) as { $ref?: string }[];
      if (members.length < 2) return;
      expect(node['discriminator'], JSON.stringify(node)).toHaveProperty('mapping');
    });
  });

  test('is the file docs/openapi.json, so that a review shows what changes for clients', async () => {
    const text = `${JSON.stringify(contract.document, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../../docs/openapi.json');
  });

  test('names the query parameters that docs/query-parameters.md lists', async () => {
    const page = parametersPage(contract.document as object as Parameters<typeof parametersPage>[0]);
    expect(page).toContain('groupBy');
    await expect(page).toMatchFileSnapshot('../../docs/query-parameters.md');
  });

  test('passes the strict rules of Redocly and the recommended rules of Spectral', async () => {
    const lint = ['lint', 'docs/openapi.json', '--extends=recommended-strict'];
    const { stderr } = await run('node_modules/.bin/redocly', lint, {
      env: { NODE_ENV: 'test', PATH: dirname(process.execPath), REDOCLY_TELEMETRY: 'off' },
    });
    expect(stderr).toContain('Your API description is valid');
    const spectral = new Spectral();
    spectral.setRuleset(new Ruleset({ extends: [[oas, 'recommended']] } as object));
    const found = await spectral.run(contract.document as object as Record<string, unknown>);
    expect(found.map(({ code: rule, path, message }) => `${rule} ${path.join('/')} ${message}`)).toEqual([]);
  });

  test('names every parameter of its paths', () => {
    for (const { name, operation } of contract.operations) {
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const named = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(named.map((parameter) => parameter.name).sort(), name).toEqual(inPath.sort());
      expect(named.every(({ required }) => required)).toBe(true);
    }
  });

  test('has no unresolved references', () => {
    const references = JSON.stringify(contract.document).matchAll(
      /"\$ref":"#\/components\/schemas\/([^"]+)"/g,
    );
    for (const [, schema] of references)
      expect(Object.keys(contract.document.components.schemas)).toContain(schema);
  });
});

describe('an answer conforms to the document:', () => {
  const reads: [operation: string, path: string][] = [
    ['GET /v1/clusters', '/v1/clusters?limit=1'],
    ['GET /v1/clusters/{clusterId}', '/v1/clusters/c1'],
    ['GET /v1/clusters/{clusterId}', '/v1/clusters/c3'],
    ['GET /v1/clusters/{clusterId}', '/v1/clusters/unknown'],
    ['GET /v1/clusters/{clusterId}', '/v1/clusters/c1?x=1'],
    ['GET /v1/clusters/{clusterId}/billing', '/v1/clusters/c1/billing'],
    ['GET /v1/clusters/{clusterId}/events', '/v1/clusters/c3/events'],
    ['GET /v1/accounts', '/v1/accounts'],
    ['GET /v1/accounts/{accountId}', '/v1/accounts/acme'],
    ['GET /v1/accounts/{accountId}/usage', '/v1/accounts/acme/usage?period=2026-04&granularity=day&asOf=2'],
    ['GET /v1/accounts/{accountId}/usage/explain', '/v1/accounts/acme/usage/explain?period=2026-04'],
    ['GET /v1/accounts/{accountId}/usage/explain', '/v1/accounts/globex/usage/explain?period=2026-04&asOf=3'],
    ['GET /v1/accounts/{accountId}/usage/explain', '/v1/accounts/acme/usage/explain'],
    ['GET /v1/accounts/{accountId}/replay', '/v1/accounts/acme/replay?period=2026-04'],
    ['GET /v1/accounts/{accountId}/replay', '/v1/accounts/nobody/replay?period=2026-04'],
    ['GET /v1/accounts/{accountId}/diff', '/v1/accounts/acme/diff?period=2026-04&before=1'],
    ['GET /v1/accounts/{accountId}/diff', '/v1/accounts/acme/diff?period=2026-04&before=9&after=1'],
    ['GET /v1/usage', '/v1/usage?period=2026-04'],
    ['GET /v1/usage', '/v1/usage?from=2026-04-01T00:00:00Z&to=2026-04-02T00:00:00Z&limit=1'],
    ['GET /v1/usage', '/v1/usage'],
    ['GET /v1/periods', '/v1/periods'],
    ['GET /v1/periods/{period}', '/v1/periods/2026-03'],
    ['GET /v1/periods/{period}', '/v1/periods/2026-04'],
    ['GET /v1/periods/{period}', '/v1/periods/2025-01'],
    ['GET /v1/periods/{period}/statements', '/v1/periods/2026-03/statements?limit=1'],
    ['GET /v1/periods/{period}/statements', '/v1/periods/2026-04/statements'],
    ['GET /v1/periods/{period}/statements/{accountId}', '/v1/periods/2026-03/statements/initech'],
    ['GET /v1/periods/{period}/statements/{accountId}', '/v1/periods/2026-03/statements/nobody'],
    ['GET /v1/feed', '/v1/feed'],
    ['GET /v1/feed', '/v1/feed?after=99'],
    ['GET /v1/rejected-events', '/v1/rejected-events'],
    ['GET /v1/alerts', '/v1/alerts'],
    ['GET /v1/alerts/{alertId}', '/v1/alerts/unverifiable:c2'],
    ['GET /v1/alerts/{alertId}', '/v1/alerts/unverifiable:nobody'],
    ['GET /v1/validations', '/v1/validations'],
    ['GET /v1/validations/{runId}', '/v1/validations/20260415T120000.000Z'],
    ['GET /v1/validations/{runId}', '/v1/validations/20260415T120000.001Z'],
    ['GET /v1/validator', '/v1/validator'],
    ['GET /v1/me', '/v1/me'],
    ['GET /livez', '/livez'],
    ['GET /readyz', '/readyz'],
  ];

  test.each(reads)('%s: %s', async (operation, path) => {
    isAsDocumented(operation, await ledger().get(path));
  });

  test.each(['text/csv', 'application/x-ndjson', 'image/png'])('GET /v1/usage as %s', async (accept) => {
    isAsDocumented('GET /v1/usage', await ledger().get('/v1/usage?period=2026-04', { accept }));
  });

  test.each(['2026-03', '2026-04', '2026-05'])('POST /v1/periods/{period}/close, %s', async (period) => {
    for (const command of [{}, { dryRun: true, early: true }, { force: true }]) {
      const headers = { 'content-type': 'application/json' };
      const post = { method: 'POST', headers, body: JSON.stringify(command) };
      isAsDocumented(
        'POST /v1/periods/{period}/close',
        await ledger().fetch(`/v1/periods/${period}/close`, post),
      );
    }
  });

  test('POST /v1/alerts/{alertId}/acknowledge and POST /v1/validator/decisions', async () => {
    const headers = { 'content-type': 'application/json' };
    const post = (path: string, body: object) =>
      ledger().fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    for (const body of [{ note: 'seen' }, { by: 'me' }])
      isAsDocumented(
        'POST /v1/alerts/{alertId}/acknowledge',
        await post('/v1/alerts/unverifiable:c2/acknowledge', body),
      );
    for (const body of [{ proceedForHours: 1, note: 'gone' }, {}])
      isAsDocumented('POST /v1/validator/decisions', await post('/v1/validator/decisions', body));
  });

  test.each(['acme', 'nobody'])('POST /v1/accounts/{accountId}/what-if, %s', async (accountId) => {
    const first = recorded[0]?.eventId ?? '';
    for (const question of [
      { period: '2026-04', remove: [first] },
      { period: '2026-04' },
      { remove: [first] },
    ]) {
      const headers = { 'content-type': 'application/json' };
      const post = { method: 'POST', headers, body: JSON.stringify(question) };
      const answer = await ledger().fetch(`/v1/accounts/${accountId}/what-if`, post);
      isAsDocumented('POST /v1/accounts/{accountId}/what-if', answer);
    }
  });

  test('POST /v1/events/{eventId}/void, dry run', async () => {
    for (const { eventId } of recorded) {
      const headers = { 'content-type': 'application/json' };
      const post = { method: 'POST', headers, body: JSON.stringify({ reason: 'x', dryRun: true }) };
      isAsDocumented(
        'POST /v1/events/{eventId}/void',
        await ledger().fetch(`/v1/events/${eventId}/void`, post),
      );
    }
  });

  test('GET /v1/events/{eventId}', async () => {
    for (const { eventId } of recorded) {
      isAsDocumented('GET /v1/events/{eventId}', await ledger().get(`/v1/events/${eventId}`));
    }
  });

  const again = registered('posted', APRIL);
  const posts: [what: string, message: Message][] = [
    ['new', inStructuredMode(again)],
    ['a duplicate', inStructuredMode(again)],
    ['in binary mode', inBinaryMode(registered('posted', APRIL))],
    ['in conflict', inStructuredMode(registered('posted', APRIL, 'globex'))],
    ['malformed', inStructuredMode({ ...again, time: 'x' })],
    [
      'a batch of all kinds',
      inBatchMode([again, registered('posted', APRIL), registered('posted', APRIL, 'globex'), 7]),
    ],
    ['an empty batch', inBatchMode([])],
    ['of another media type', { headers: { 'content-type': 'text/plain' }, body: 'x' }],
  ];

  test.each(posts)('POST /v1/events, %s', async (_, message) => {
    isAsDocumented('POST /v1/events', await ledger().send(message));
  });
});

describe('the document accepts', () => {
  const { body: one } = inStructuredMode(registered('c9', APRIL));
  const accepts = (mediaType: string, body: unknown) => {
    const content = contract.operation('POST /v1/events').requestBody?.content[mediaType];
    return contract.errorsOf(content?.schema as Schema, body).length === 0;
  };

  test('every event that the ledger accepts', () => {
    expect(accepts('application/cloudevents+json', JSON.parse(one as string))).toBe(true);
    expect(accepts('application/cloudevents-batch+json', [JSON.parse(one as string)])).toBe(true);
  });

  test('no event without a time or an account', () => {
    const { time: _, ...timeless } = JSON.parse(one as string);
    const nameless = { ...timeless, time: APRIL, data: { name: 'x' } };
    expect(accepts('application/cloudevents+json', timeless)).toBe(false);
    expect(accepts('application/cloudevents+json', nameless)).toBe(false);
  });
});

/** `GET /v1/clusters/{clusterId}` and so on, from the tree that Fastify prints. */
function routesOf(tree: string): string[] {
  const above: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods = ''] = /^(.*?)[├└]── (\S+)(?: \((.*)\))?$/.exec(line) ?? [];
    if (part === '') return [];
    const depth = indent.length / 4;
    const path: string = `${depth === 0 ? '' : above[depth - 1]}${part}`;
    above[depth] = path;
    const template = path.replace(/:(\w+)/g, '{$1}');
    return methods === '' ? [] : methods.split(', ').map((method) => `${method} ${template}`);
  });
}
