import type { TestProject } from 'vitest/node';
import { startDouble } from '../eventstoredb/double.ts';

/** Starts the double of EventStoreDB. No server is looked for: mutants run beside the double only. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const double = await startDouble();
  project.provide('doubleUrl', double.url);
  project.provide('eventStoreDbUrl', '');
  project.provide('noEventStoreDb', 'mutants run beside the double only');
  project.provide('hasEventStored', false);
  return () => double.close();
}
