/**
 * Stands in for `vitest` in the tests that run against mutants. It collects the tests of a file, so that they can run one at a time
 * and many times in one process of Node.js. `expect` and `vi` are those of Vitest.
 */

import { format } from 'node:util';
import { expect, vi as ofVitest } from 'vitest';

export { expect };

type Work = (...args: never[]) => unknown;
type Hook = () => unknown;

/** A test of a room. */
export interface CollectedTest {
  /** File, suites and title. No two tests have the same. */
  readonly id: string;
  /** @throws what the test throws. @throws TestDoesNotEnd after `limitMs` */
  readonly run: (limitMs: number) => Promise<void>;
}

/** A test waits for what does not happen. */
export class TestDoesNotEnd extends Error {
  override readonly name = 'TestDoesNotEnd';
}

interface Suite {
  readonly path: string;
  readonly before: readonly Hook[];
  readonly after: readonly Hook[];
}

let tests = new Map<string, CollectedTest>();
let suites: { path: string; before: Hook[]; after: Hook[] }[] = [];
let finishing: Hook[] = [];
let onReset: () => void = () => undefined;
let provided: Readonly<Record<string, unknown>> = {};

/** Gives `inject` its values, and `vi.resetModules` its meaning. */
export function prepare(values: Readonly<Record<string, unknown>>, resetModules: () => void): void {
  provided = values;
  onReset = resetModules;
}

/** The tests that the imports of files give. */
export async function collect(
  files: readonly string[],
  importFile: (file: string) => Promise<unknown>,
): Promise<readonly CollectedTest[]> {
  tests = new Map();
  for (const file of files) {
    suites = [{ path: file, before: [], after: [] }];
    await importFile(file);
  }
  return [...tests.values()];
}

async function runTest(within: readonly Suite[], work: Hook, limitMs: number): Promise<void> {
  const after = within.flatMap((suite) => suite.after);
  finishing = [];
  try {
    await ended(limitMs, async () => {
      for (const hook of within.flatMap(({ before }) => before)) {
        const result = await hook();
        if (typeof result === 'function') after.push(result as Hook);
      }
      await work();
    });
  } finally {
    await ended(limitMs, async () => {
      for (const hook of [...finishing, ...after].reverse()) await hook();
    });
  }
}

/** Waits until work has ended. @throws TestDoesNotEnd after `limitMs` */
async function ended(limitMs: number, work: () => Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TestDoesNotEnd(`after ${limitMs} ms`)), limitMs);
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function addTest(title: string, work: Hook): void {
  const within = [...suites];
  const named = `${within.at(-1)?.path} > ${title}`;
  let id = named;
  for (let n = 2; tests.has(id); n++) id = `${named} (${n})`;
  tests.set(id, { id, run: (limitMs) => runTest(within, work, limitMs) });
}

function addSuite(title: string, work: Hook): void {
  suites.push({ path: `${suites.at(-1)?.path} > ${title}`, before: [], after: [] });
  work();
  suites.pop();
}

const noTest = () => undefined;
/** The function among the arguments of `test`, whose options may be before or behind it. */
const workOf = (rest: readonly unknown[]) => rest.find((each) => typeof each === 'function') as Work;
const titleOf = (title: string | Work) => (typeof title === 'string' ? title : title.name);

/** The title of a row of a table. */
function rowTitle(title: string, row: readonly unknown[]): string {
  const places = title.match(/%[sdifjoO]/g) ?? [];
  return format(title, ...row.slice(0, places.length));
}

/** `test` or `describe`, with the forms of it that the tests use. */
function form(add: (title: string, work: Hook) => void) {
  const one = (title: string | Work, ...rest: unknown[]) => add(titleOf(title), workOf(rest) as Hook);
  const each =
    (rows: readonly unknown[]) =>
    (title: string, ...rest: unknown[]) => {
      // As Vitest does: rows are lists of arguments only if all of them are lists.
      const areLists = rows.every(Array.isArray);
      for (const row of rows) {
        const args = areLists ? (row as unknown[]) : [row];
        add(rowTitle(title, args), () => workOf(rest)(...(args as never[])));
      }
    };
  const all =
    (rows: readonly unknown[]) =>
    (title: string, ...rest: unknown[]) => {
      for (const row of rows)
        add(rowTitle(title, Array.isArray(row) ? row : [row]), () => workOf(rest)(row as never));
    };
  const runIf = (condition: unknown) => (condition ? one : noTest);
  const skipIf = (condition: unknown) => runIf(!condition);
  return Object.assign(one, { each, for: all, runIf, skipIf, skip: noTest });
}

export const test = form(addTest);
export const describe = form(addSuite);

export const beforeEach = (hook: Hook): void => void suites.at(-1)?.before.push(hook);
export const afterEach = (hook: Hook): void => void suites.at(-1)?.after.push(hook);
// Prepared for each test anew: a mutant that is active in one test must have no effect on the next one.
export { afterEach as afterAll, beforeEach as beforeAll };

export const onTestFinished = (hook: Hook): void => void finishing.push(hook);

/** @throws if nothing provides the value. */
export function inject(name: string): unknown {
  if (!(name in provided)) throw new Error(`${name} is not provided to tests of mutants`);
  return provided[name];
}

export const vi = { ...ofVitest, resetModules: () => onReset() };
