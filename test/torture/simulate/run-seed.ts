import { LOCAL_OPERATOR } from '../../../src/domain/access/caller.ts';
import { StoreUnavailable } from '../../../src/eventstore/store-errors.ts';
import { Problem } from '../../../src/http/server/problem.ts';
import { NotCaughtUp, OutcomeUnknown } from '../../../src/ledger/ledger-errors.ts';
import { seededRandom } from '../seeded-random.ts';
import { type Answer, type Answered, type Command, Commands } from './commands.ts';
import { type Faults, FaultyStore, type Happened } from './faulty-store.ts';
import { type Plant, withPlant } from './plants.ts';
import { findings } from './reference.ts';
import { Replica } from './replica.ts';
import { SharedLog } from './shared-log.ts';
import { VirtualTime } from './virtual-time.ts';

/** Work and findings of a run. */
export interface RunReport extends Happened {
  readonly commands: number;
  readonly events: number;
  readonly conflicts: number;
  readonly crashes: number;
  readonly cuts: number;
  /** Descriptions of everything that is wrong. */
  readonly findings: readonly string[];
}

const CLIENTS = 4;
const COMMANDS_PER_CLIENT = 10;
const START = Date.UTC(2026, 4, 2);
/** Faults end after this time. */
const LOUD_MS = 30_000;
/** Time in which everything must converge once no fault happens any more. */
const QUIET_MS = 120_000;
const CLIENT_TIMEOUT_MS = 12_000;

/** A process that runs a replica, and is killed and started again. */
interface Process {
  replica: Replica;
  store: FaultyStore;
  isUp: boolean;
}

/** Runs one seed: two replicas on one log, four clients, and everything that can go wrong; then a quiet time. */
export async function runSeed(seed: number, plant?: Plant): Promise<RunReport> {
  const run = new Run(seed, plant);
  return run.run();
}

class Run {
  readonly #random: () => number;
  readonly #time: VirtualTime;
  readonly #log = new SharedLog();
  readonly #commands: Commands;
  readonly #plant: Plant | undefined;
  readonly #faults: Faults;
  readonly #happened: Happened = { lostRequests: 0, lostReplies: 0, failedReads: 0, refused: 0 };
  readonly #processes: Process[] = [];
  readonly #clocks = [0, 0];
  readonly #answered: Answered[] = [];
  readonly #claimed = new Set<string>();
  readonly #findings: string[] = [];
  #step = 0;
  #crashes = 0;
  #cuts = 0;
  #isLoud = true;

  constructor(seed: number, plant: Plant | undefined) {
    this.#random = seededRandom(seed);
    this.#plant = plant;
    this.#time = new VirtualTime(this.#random);
    this.#time.install();
    this.#commands = new Commands(this.#random);
    const most = () => this.#random() ** 2;
    this.#faults = {
      lostRequest: 0.3 * most(),
      lostReply: 0.3 * most(),
      failedRead: 0.3 * most(),
      lostFollower: 0.3 * most(),
      maxDelayMs: 1 + 200 * most(),
    };
  }

  async run(): Promise<RunReport> {
    for (const i of [0, 1]) this.#start(i);
    const clients = Array.from({ length: CLIENTS }, () => this.#client());
    let isDone = false;
    void Promise.all(clients).then(() => {
      isDone = true;
    });
    for (const i of [0, 1]) void this.#trouble(i);
    this.#time.after(LOUD_MS, () => this.#calm());
    const hasConverged = () =>
      isDone && !this.#isLoud && this.#processes.every((process) => this.#isCaughtUp(process));
    try {
      await this.#time.runUntil(hasConverged, LOUD_MS + QUIET_MS);
    } catch (error) {
      this.#findings.push(`no convergence after the faults ended: ${(error as Error).message}`);
    }
    const { events, conflicts } = this.#log;
    const replicas = this.#processes.map(({ replica }) => replica);
    if (this.#findings.length === 0) this.#findings.push(...findings(events, this.#answered, replicas));
    return {
      ...this.#happened,
      commands: this.#answered.length,
      events: events.length,
      conflicts,
      crashes: this.#crashes,
      cuts: this.#cuts,
      findings: this.#findings,
    };
  }

  #isCaughtUp({ replica }: Process): boolean {
    const { projections, failure } = replica;
    const { statements, model } = projections;
    const isChecked = statements.checked >= model.closedPeriods.all.length;
    return failure !== undefined || (model.position === this.#log.events.length && isChecked);
  }

  #start(i: number): void {
    const world = {
      time: this.#time,
      random: this.#random,
      log: this.#log,
      faults: this.#faults,
      happened: this.#happened,
    };
    const store = new FaultyStore(world);
    const now = () => Math.floor(START + this.#time.now + (this.#clocks[i] as number));
    const replica = new Replica(withPlant(store, this.#plant, this.#random), now);
    this.#processes[i] = { replica, store, isUp: true };
  }

  /** Kills, cuts off and misleads a process from time to time. */
  async #trouble(i: number): Promise<void> {
    const often = this.#random() * 6_000 + 500;
    for (;;) {
      await this.#time.wait(this.#random() * often * 2);
      if (!this.#isLoud) return;
      const dice = this.#random();
      const process = this.#processes[i] as Process;
      if (dice < 0.4) {
        this.#crashes++;
        process.isUp = false;
        process.store.isDead = true;
        await this.#time.wait(this.#random() * 3_000);
        this.#start(i);
      } else if (dice < 0.8) {
        this.#cuts++;
        process.store.isCutOff = true;
        await this.#time.wait(this.#random() * 8_000);
        process.store.isCutOff = false;
      } else this.#clocks[i] = (this.#random() - 0.5) * 7_200_000;
    }
  }

  #calm(): void {
    this.#isLoud = false;
    Object.assign(this.#faults, { lostRequest: 0, lostReply: 0, failedRead: 0, lostFollower: 0 });
    for (const { store } of this.#processes) store.isCutOff = false;
  }

  async #client(): Promise<void> {
    for (let n = 0; n < COMMANDS_PER_CLIENT; n++) {
      await this.#time.wait(this.#random() * 1_500);
      const command = this.#commands.next();
      const sentAt = this.#step++;
      const answer = await this.#askUntilAnswered(command);
      this.#answered.push({ command, answer, sentAt, answeredAt: this.#step++ });
      if ('eventId' in answer && command.kind === 'fact')
        this.#commands.known.push({
          clusterId: command.submission.fact.clusterId,
          eventId: answer.eventId,
        });
    }
  }

  async #askUntilAnswered(command: Command): Promise<Answer> {
    for (;;) {
      const answer = await Promise.race([
        this.#send(command),
        this.#time.wait(CLIENT_TIMEOUT_MS).then(() => undefined),
      ]);
      if (answer !== undefined) return answer;
      await this.#time.wait(50 + this.#random() * 500);
    }
  }

  /** Sends a command over a network that loses and doubles messages. @returns `undefined` if the client has to ask again */
  async #send(command: Command): Promise<Answer | undefined> {
    const isLost = this.#isLoud && this.#random() < 0.05;
    if (this.#isLoud && this.#random() < 0.1)
      this.#time.after(this.#random() * 4_000, () => void this.#deliver(command));
    await this.#time.wait(this.#random() * 20);
    if (isLost) return new Promise(() => undefined);
    const answer = await this.#deliver(command);
    await this.#time.wait(this.#random() * 20);
    if (this.#isLoud && this.#random() < 0.05) return new Promise(() => undefined);
    return answer;
  }

  async #deliver(command: Command): Promise<Answer | undefined> {
    const i = this.#random() < 0.5 ? 0 : 1;
    const process = this.#processes[i] as Process;
    if (!process.isUp) return undefined;
    const answer = await this.#handle(process.replica, command).catch((error: unknown) => {
      const isRetried = [StoreUnavailable, OutcomeUnknown, NotCaughtUp].some((kind) => error instanceof kind);
      if (!isRetried && process.isUp) this.#findings.push(`${command.kind}: ${error}`);
      return undefined;
    });
    return process.isUp ? answer : new Promise(() => undefined);
  }

  async #handle(replica: Replica, command: Command): Promise<Answer | undefined> {
    if (command.kind === 'begin') {
      const result = await replica.begin(command.period);
      if (result.outcome === 'rejected') return { outcome: 'rejected', code: result.rejection.code };
      return { outcome: 'begun' };
    }
    if (command.kind === 'close') {
      const result = await replica.closePeriod.run({
        period: command.period,
        early: true,
        dryRun: false,
        actor: 'simulated',
      });
      if (result.outcome === 'closed') return { outcome: 'closed', digest: result.close.statementsDigest };
      if (result.outcome === 'rejected') return { outcome: 'rejected', code: result.rejection.code };
      throw new Error(`a closing ended as ${result.outcome}`);
    }
    const { submission } = command;
    if (this.#plant === 'claim-before-write') {
      const claim = JSON.stringify([submission.origin, submission.fact]);
      if (this.#claimed.has(claim))
        return { outcome: 'duplicate', eventId: claim, revision: 0, position: null, recordedAt: '' };
      this.#claimed.add(claim);
    }
    const [answer] = await replica.recorder.record([submission], LOCAL_OPERATOR);
    if (answer instanceof Problem) return { outcome: 'rejected', code: answer.code };
    if (answer === undefined) throw new Error('a fact was not answered');
    return answer;
  }
}
