/** A fact that a victim has recorded. */
export interface Known {
  readonly clusterId: string;
  readonly eventId: string;
}

/** The work of a victim on its ledger. Each method prints the promises that it got, and returns the facts among them. */
export interface Worker {
  /** Registers clusters under their own ids, as one event or in a batch. */
  register(ids: readonly string[]): Promise<readonly Known[]>;
  stop(clusterId: string, id: string): Promise<readonly Known[]>;
  void(fact: Known, id: string): Promise<readonly Known[]>;
  /** Closes the first open month. */
  close(): Promise<void>;
  sign(): Promise<void>;
  /** Closes the ledger, which writes a snapshot, and opens it again. */
  restart(): Promise<void>;
  /** Accepts that facts are lost, if they are. */
  acceptLoss(): Promise<void>;
}

export interface WorkOptions {
  readonly seed: number;
  readonly random: () => number;
  /** Number of things to do; without end by default. */
  readonly steps?: number | undefined;
  /** A kind of work; by default a random one each time. */
  readonly work?: string | undefined;
  readonly hasFailed: () => boolean;
}

/** Does random work, one thing after the other, each once the one before is answered. */
export async function workAtRandom(
  worker: Worker,
  { seed, random, steps, work, hasFailed }: WorkOptions,
): Promise<void> {
  const known: Known[] = [];
  let count = 0;
  const nextId = () => `v${seed}-${count++}`;
  const kinds: Readonly<Record<string, () => Promise<unknown>>> = {
    append: async () => known.push(...(await worker.register([nextId()]))),
    batch: async () =>
      known.push(
        ...(await worker.register(Array.from({ length: 2 + Math.floor(random() * 30) }, () => nextId()))),
      ),
    void: async () => {
      const fact = known[Math.floor(random() * known.length)];
      if (fact === undefined) return;
      const isStop = random() < 0.5;
      known.push(...(await (isStop ? worker.stop(fact.clusterId, nextId()) : worker.void(fact, nextId()))));
    },
    close: () => worker.close(),
    sign: () => worker.sign(),
    snapshot: () => worker.restart(),
    'accept-loss': () => worker.acceptLoss(),
  };
  for (let step = 0; (steps === undefined || step < steps) && !hasFailed(); step++)
    await kinds[work ?? kindFor(random())]?.();
}

function kindFor(dice: number): string {
  if (dice < 0.5) return 'append';
  if (dice < 0.7) return 'batch';
  if (dice < 0.85) return 'void';
  if (dice < 0.92) return 'close';
  return dice < 0.97 ? 'sign' : 'snapshot';
}
