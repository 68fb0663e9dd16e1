/**
 * A test runner of Stryker that runs the tests of a room in one process of Node.js, without the start of a runner of tests and the
 * import of all modules for each mutant.
 *
 * Modules keep what former mutants left in them. So a mutant counts as noticed only if the test that failed passes without it, and as
 * survived only after a run of all tests with modules that were imported anew. Otherwise it is run again with such modules.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { INSTRUMENTER_CONSTANTS, type MutantCoverage, type StrykerOptions } from '@stryker-mutator/api/core';
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import {
  type DryRunOptions,
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  TestStatus,
} from '@stryker-mutator/api/test-runner';
import { startDouble } from '../eventstoredb/double.ts';
import { type CollectedTest, prepare, TestDoesNotEnd } from './collected.ts';
import { type Failure, firstFailure } from './first-failure.ts';
import { RoomTests } from './room-tests.ts';
import './short-properties.ts';

interface Options {
  /** Patterns of the files with the tests. `testFiles` of Stryker would run them all for each mutant. */
  readonly roomTests: readonly string[];
}

/** The values that the instrumented code reads and writes. */
interface Namespace {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: MutantCoverage | undefined;
}

// Worker threads have a namespace of their own, and read the active mutant from here.
const { env } = process;
const shared = globalThis as { [INSTRUMENTER_CONSTANTS.NAMESPACE]?: Namespace };

class InProcessRunner implements TestRunner {
  static readonly inject = tokens(commonTokens.options);

  readonly #namespace: Namespace = {};
  readonly #room: RoomTests;
  /** Milliseconds of each test, when it ran last: the shortest run first. */
  readonly #durations = readDurations();
  #tests: readonly CollectedTest[] | undefined;
  #close: () => Promise<void> = async () => undefined;

  constructor(options: StrykerOptions) {
    shared[INSTRUMENTER_CONSTANTS.NAMESPACE] = this.#namespace;
    this.#room = new RoomTests((options as StrykerOptions & Options).roomTests);
  }

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init(): Promise<void> {
    const double = await startDouble();
    this.#close = () => double.close();
    prepare({ doubleUrl: double.url, eventStoreDbUrl: '', hasEventStored: false }, () => this.#room.reset());
  }

  dispose(): Promise<void> {
    return this.#close();
  }

  async dryRun({ coverageAnalysis }: DryRunOptions): Promise<DryRunResult> {
    const namespace = this.#namespace;
    const mutantCoverage: MutantCoverage = { static: {}, perTest: {} };
    namespace.mutantCoverage = mutantCoverage;
    try {
      this.#tests = await this.#room.load();
      const tests: TestResult[] = [];
      for (const test of this.#tests) {
        namespace.currentTestId = test.id;
        tests.push(await this.#result(test));
      }
      writeFileSync(DURATIONS, JSON.stringify([...this.#durations]));
      if (coverageAnalysis === 'off') return { status: DryRunStatus.Complete, tests };
      return { status: DryRunStatus.Complete, tests, mutantCoverage };
    } catch (error) {
      return { status: DryRunStatus.Error, errorMessage: textOf(error) };
    } finally {
      namespace.currentTestId = undefined;
      namespace.mutantCoverage = undefined;
    }
  }

  async #result(test: CollectedTest): Promise<TestResult> {
    const failure = await this.#failure([test]);
    const about = { id: test.id, name: test.id, timeSpentMs: this.#durations.get(test.id) ?? 0 };
    if (failure === undefined) return { ...about, status: TestStatus.Success };
    return { ...about, status: TestStatus.Failed, failureMessage: textOf(failure.error) };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    if (options.mutantActivation === 'static') return this.#runStatic(options);
    if (this.#tests !== undefined) {
      const noticed = await this.#noticedBy(this.#tests, options, QUICK_MS);
      if (noticed !== undefined && (await this.#passes(noticed))) return resultOf(noticed);
    }
    this.#tests = await this.#room.load();
    return resultOf(await this.#noticedBy(this.#tests, options));
  }

  /** The mutant is active while the modules are imported. One that breaks their import is noticed. */
  async #runStatic(options: MutantRunOptions): Promise<MutantRunResult> {
    try {
      this.#activate(options);
      return resultOf(await this.#noticedBy(await this.#room.load(), options));
    } catch (error) {
      return resultOf({ id: 'import', error });
    } finally {
      this.#deactivate();
    }
  }

  /** The test that notices a mutant. @param withinMs see `firstFailure` */
  async #noticedBy(
    tests: readonly CollectedTest[],
    options: MutantRunOptions,
    withinMs?: number,
  ): Promise<Failure | undefined> {
    const { testFilter } = options;
    this.#activate(options);
    try {
      const failure = await this.#failure(
        testFilter === undefined ? tests : tests.filter(({ id }) => testFilter.includes(id)),
        withinMs,
      );
      const looped = determineHitLimitReached(this.#namespace.hitCount, this.#namespace.hitLimit);
      if (looped === undefined) return failure;
      return { id: failure?.id ?? 'loop', error: new TestDoesNotEnd(looped.reason) };
    } finally {
      this.#deactivate();
    }
  }

  /** Whether a test that failed passes without a mutant. */
  async #passes({ id }: Failure): Promise<boolean> {
    return (await this.#failure(this.#tests?.filter((test) => test.id === id) ?? [])) === undefined;
  }

  #failure(tests: readonly CollectedTest[], withinMs?: number) {
    return firstFailure(tests, this.#durations, withinMs);
  }

  #activate({ activeMutant, hitLimit }: MutantRunOptions): void {
    this.#namespace.activeMutant = activeMutant.id;
    this.#namespace.hitCount = hitLimit === undefined ? undefined : 0;
    this.#namespace.hitLimit = hitLimit;
    env[INSTRUMENTER_CONSTANTS.ACTIVE_MUTANT_ENV_VARIABLE] = activeMutant.id;
  }

  #deactivate(): void {
    delete env[INSTRUMENTER_CONSTANTS.ACTIVE_MUTANT_ENV_VARIABLE];
    this.#namespace.activeMutant = undefined;
    this.#namespace.hitCount = undefined;
    this.#namespace.hitLimit = undefined;
  }
}

/** Duration of the tests that run with modules that former mutants have used. Most mutants are noticed by then. */
const QUICK_MS = 1_000;
/** File of the sandbox with the durations of the first run, for a process that Stryker starts after a mutant that does not end. */
const DURATIONS = 'test-durations.json';

const readDurations = () =>
  new Map<string, number>(existsSync(DURATIONS) ? JSON.parse(readFileSync(DURATIONS, 'utf8')) : []);

function resultOf(failure: Failure | undefined): MutantRunResult {
  if (failure === undefined) return { status: MutantRunStatus.Survived, nrOfTests: 1 };
  const { id, error } = failure;
  if (error instanceof TestDoesNotEnd)
    return { status: MutantRunStatus.Timeout, reason: `${id}: ${error.message}` };
  return { status: MutantRunStatus.Killed, killedBy: [id], failureMessage: textOf(error), nrOfTests: 1 };
}

const textOf = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error));

export const strykerValidationSchema = {
  properties: { roomTests: { type: 'array', items: { type: 'string' }, default: [] } },
};
export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'in-process', InProcessRunner)];
