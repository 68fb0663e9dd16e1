import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePorts } from './eventstored.ts';
import { fetchPatiently } from './patient-fetch.ts';
import { until } from './until.ts';

const [COMPILE_CACHE, MAIN] = ['bin/compile-cache.js', 'src/main.ts'].map((path) =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url)),
) as [string, string];

/** A ledger in a process of its own, which runs its sources: to be killed. */
export class LedgerProcess {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #folder: string | undefined;
  readonly #program: readonly string[];
  #process: ChildProcess | undefined;
  #port = 0;
  /** Its output so far. */
  output = '';

  /**
   * @param folder the folder that it starts in: this one by default. It reads `ledger.yaml` from there.
   * @param program arguments of Node.js.
   */
  constructor(
    environment: Readonly<Record<string, string>>,
    folder?: string,
    program: readonly string[] = ['--import', COMPILE_CACHE, MAIN],
  ) {
    this.#environment = environment;
    this.#folder = folder;
    this.#program = program;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get exitCode(): number | null {
    return this.#process?.exitCode ?? null;
  }

  /** Starts it and waits until it is ready. */
  async start(): Promise<void> {
    const started = await this.launch();
    await until(async () => {
      if (started.exitCode !== null)
        throw new Error(`the ledger ended with ${started.exitCode}: ${this.output}`);
      return (await fetch(`${this.url}/readyz`).catch(() => undefined))?.status === 200;
    });
  }

  async launch(): Promise<ChildProcess> {
    const [port] = (await freePorts(1)) as [number];
    this.#port = port;
    const environment = {
      PATH: '',
      LEDGER_ALERTS_ANNOUNCE: 'false',
      ...this.#environment,
      LEDGER_HTTP_PORT: String(port),
    };
    const started = spawn(process.execPath, this.#program, {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(this.#folder !== undefined && { cwd: this.#folder }),
    });
    for (const stream of [started.stdout, started.stderr])
      stream.on('data', (chunk) => (this.output += String(chunk)));
    this.#process = started;
    return started;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, 'exit');
    running.kill(signal);
    await exited;
  }

  /** Sends it a signal that does not end it. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Sends a request, again for as long as the ledger is busy because the machine gives its process no time. */
  fetch(path: string, request: RequestInit = {}): Promise<Response> {
    return fetchPatiently(this.url + path, request);
  }

  async getJson(path: string): Promise<unknown> {
    const answer = await this.fetch(path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}
