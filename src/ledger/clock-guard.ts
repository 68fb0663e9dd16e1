import { DAY_MS, formatInstant, type Instant, MINUTE_MS, SECOND_MS, type Window } from '../domain/time.ts';
import { StoreUnavailable } from '../eventstore/store-errors.ts';
import type { Logger } from '../util/logger.ts';
import type { ClockRecord, ClockRecords, ClockTrust } from './clock-records.ts';

/** Maximum difference between the wall clock and the time that it should show. */
const TOLERANCE_MS = MINUTE_MS;
/** Maximum time between the newest event and a start, unless an operator confirms the time. */
const MAX_SILENCE_MS = 31 * DAY_MS;
const CHECK_INTERVAL_MS = SECOND_MS;

/** Why the clock cannot be trusted. */
export interface ClockDoubt {
  readonly why: string;
  /** Time of the clock when the doubt began. */
  readonly since: Instant;
  /** The times that it may show now. */
  readonly window: Window;
}

interface Dependencies {
  readonly records: ClockRecords;
  /** The clock of the host, in milliseconds since the epoch. */
  readonly wall: () => Instant;
  /** A clock that nobody can set, in milliseconds. Only differences of its values have a meaning. */
  readonly monotonic: () => number;
  /** Returns the newest `recordedAt` that the log had at the start; 0 if it was empty. */
  readonly newestAtStart: () => Promise<Instant>;
  /** Returns what the clock of the store's server shows; `undefined` if the store has no server. */
  readonly serverTime: () => Promise<Instant | undefined>;
  readonly log: Pick<Logger, 'error' | 'warn'>;
}

/** The times that the wall clock may show at a value of the monotonic clock. Later both ends move with the monotonic clock. */
interface Expectation {
  readonly window: Window;
  readonly measuredAt: number;
  /** How the window was computed, for messages. */
  readonly basis: string;
}

/**
 * Checks whether the clock of the host can be trusted. At the start it must agree with the log (not before the newest event, and
 * not more than 31 days after it) and, on EventStoreDB, with the clock of the server. From then on it must advance with the monotonic clock. A difference above 60 s is a doubt. It
 * ends when the difference is gone or when an operator confirms the time. Doubts and their ends are recorded.
 */
export class ClockGuard {
  readonly #dependencies: Dependencies;
  /** Times that the clock is compared with; `undefined` until the log is read. */
  #expected: readonly Expectation[] | undefined;
  #doubt: ClockDoubt | undefined;
  #isDoubtRecorded = false;
  #starting: Promise<void> | undefined;
  #checking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** Starts the checks. The first one waits until the end of the log is known. Never rejects. */
  start(): Promise<void> {
    this.#timer = setInterval(() => void this.#check(), CHECK_INTERVAL_MS);
    return this.#check();
  }

  /** Stops the checks and waits for the active one. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  /** The doubt as of now; `undefined` if the clock is trusted or the comparison with the log is not finished. */
  get doubt(): ClockDoubt | undefined {
    return this.#compare();
  }

  /** Returns the doubt as of now, once the clock was compared with the log. @throws StoreUnavailable */
  async verified(): Promise<ClockDoubt | undefined> {
    await this.#begin();
    return this.#compare();
  }

  /**
   * Records that somebody confirms the time, and trusts the clock from then on. Changes nothing if the clock is trusted.
   * @throws OutcomeUnknown, StoreUnavailable, StoreFull, StoreFailed
   */
  async trust(trust: ClockTrust): Promise<void> {
    if ((await this.verified()) === undefined) return;
    const clock = this.#dependencies.wall();
    await this.#dependencies.records.trusted(clock, trust);
    this.#isDoubtRecorded = false;
    this.#doubt = undefined;
    this.#expectFrom(clock);
  }

  #check(): Promise<void> {
    this.#checking ??= this.#record()
      .catch((error: unknown) => {
        // The next check tries again.
        if (!(error instanceof StoreUnavailable))
          this.#dependencies.log.warn({ err: error }, 'the clock was not checked');
      })
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }

  /** Records the beginning or the end of a doubt. */
  async #record(): Promise<void> {
    const { records, wall, log } = this.#dependencies;
    const doubt = await this.verified();
    if ((doubt !== undefined) === this.#isDoubtRecorded) return;
    if (doubt === undefined) {
      await records.trusted(wall(), { by: 'clock-guard', reason: 'the difference is gone' });
    } else {
      log.error({ alert: 'clock-untrusted', why: doubt.why }, 'the clock of the host cannot be trusted');
      await records.doubted(wall(), doubt.window, doubt.why);
    }
    this.#isDoubtRecorded = doubt !== undefined;
  }

  /** Computes once, from the log, what time it can be. Tried again after a failure. */
  #begin(): Promise<void> {
    this.#starting ??= this.#expectFromLog().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  async #expectFromLog(): Promise<void> {
    const { newestAtStart, serverTime, records, monotonic } = this.#dependencies;
    const newest = await newestAtStart();
    const last = await records.last();
    const server = await serverTime();
    this.#isDoubtRecorded = last?.state === 'doubted';
    const windows = [windowAtStart(newest, last), ...(server === undefined ? [] : [windowOfServer(server)])];
    this.#expected = windows.map((window) => ({ ...window, measuredAt: monotonic() }));
  }

  #expectFrom(clock: Instant): void {
    const window = { from: clock - TOLERANCE_MS, to: clock + TOLERANCE_MS };
    const basis = 'so says the monotonic clock, which nobody can set';
    this.#expected = [{ window, measuredAt: this.#dependencies.monotonic(), basis }];
  }

  /** Returns the window of an expectation as it is now. */
  #windowNow({ window, measuredAt }: Expectation): Window {
    const elapsed = this.#dependencies.monotonic() - measuredAt;
    return { from: window.from + elapsed, to: window.to + elapsed };
  }

  #compare(): ClockDoubt | undefined {
    if (this.#expected === undefined) return undefined;
    const clock = this.#dependencies.wall();
    const windows = this.#expected.map((expected) => this.#windowNow(expected));
    const failed = windows.findIndex(({ from, to }) => clock < from || clock > to);
    if (failed === -1) {
      this.#doubt = undefined;
      if (windows.some(({ from, to }) => to - from > 2 * TOLERANCE_MS)) this.#expectFrom(clock);
      return undefined;
    }
    const window = windows[failed] as Window;
    const limit = clock < window.from ? `at least ${textOf(window.from)}` : `at most ${textOf(window.to)}`;
    const why = `it shows ${textOf(clock)} but should show ${limit}: ${this.#expected[failed]?.basis}`;
    this.#doubt = { why, since: clock, ...this.#doubt, window };
    return this.#doubt;
  }
}

function windowOfServer(time: Instant): Omit<Expectation, 'measuredAt'> {
  const window = { from: time - TOLERANCE_MS, to: time + TOLERANCE_MS };
  return { window, basis: `the server of the store showed ${textOf(time)}` };
}

/** Returns the window in which the time is at a start. */
function windowAtStart(newest: Instant, last: ClockRecord | undefined): Omit<Expectation, 'measuredAt'> {
  if (newest === 0)
    return { window: { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }, basis: '' };
  if (last?.state === 'doubted') {
    // Events since the doubt may have the time of the doubted clock, so they prove nothing.
    const { clock, window } = last;
    const latest = window.to + MAX_SILENCE_MS;
    const to = clock > window.to ? Math.min(latest, clock - TOLERANCE_MS) : latest;
    const basis = `the clock was doubted when it showed ${textOf(clock)}`;
    return { window: { from: window.from, to }, basis };
  }
  // While the clock is behind the log, all events have the same time. Then the decision says more than they do.
  const isDecided = last !== undefined && newest <= last.recordedAt;
  const reference = isDecided ? last.clock : newest;
  const window = { from: reference - TOLERANCE_MS, to: reference + MAX_SILENCE_MS };
  const basis = isDecided
    ? `the clock was last trusted when it showed ${textOf(reference)}`
    : `the newest event of the log was recorded at ${textOf(reference)}`;
  return { window, basis };
}

function textOf(instant: Instant): string {
  return formatInstant(Math.max(0, instant));
}
