import { expect, test } from 'vitest';
import { cloudEventType } from '../../src/domain/facts/cloud-event.ts';
import { FACT_TYPES } from '../../src/domain/facts/fact.ts';
import { eventsPage } from '../../src/http/openapi/events-page.ts';
import type { PostedEvent } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';

test('docs/events.md has every event type with the fields of the contract, and an example that a ledger accepts', async () => {
  const ledger = await ledgerForTest();
  const page = eventsPage((await ledger.get('/openapi.json')).body);
  const examples = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(
    ([, text]) => JSON.parse(text as string) as PostedEvent,
  );
  expect(examples.map(({ type }) => type)).toEqual(FACT_TYPES.map(cloudEventType));
  let registration: string | undefined;
  for (const example of examples) {
    // The example voids an event id of its own; here it voids the registration.
    const data = 'voids' in (example.data ?? {}) ? { ...example.data, voids: registration } : example.data;
    const { status, text, body } = await ledger.post({ ...example, ...(data !== undefined && { data }) });
    registration ??= body.eventId;
    expect(status, `${example.type}: ${text}`).toBe(201);
  }
  expect(page, 'a field without a meaning').not.toMatch(/ \| {2}\|$/m);
  expect(page).toMatch(/^\| `accountId` \| .* \| required \|/m);
  await expect(page).toMatchFileSnapshot('../../docs/events.md');
});
