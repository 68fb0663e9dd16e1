/** Operations that take time and that operators watch. */
export type OperationName = 'append' | 'probe' | 'delivery';

/** The subject of an operation, such as the id of a cluster. Values are for traces, and may be unbounded. */
export type OperationDetails = Readonly<Record<string, string | number>>;

/** Called at the end of an operation. @param outcome one of few words. @param seconds duration. */
export type OperationEnded = (outcome: string, seconds: number) => void;

/** Called when an operation begins. It returns what is called at its end. Neither may throw. */
export type OperationListener = (name: OperationName, details: OperationDetails) => OperationEnded;

/** Notifies listeners, such as metrics and traces, when operations begin and end. */
export class Operations {
  readonly #listeners: OperationListener[] = [];

  listen(listener: OperationListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Announces that an operation begins.
   * @returns a function to call at its end, with the duration in seconds if it is known better than by the time between both calls.
   */
  begin(
    name: OperationName,
    details: OperationDetails = {},
  ): (outcome: string, measuredSeconds?: number) => void {
    const began = performance.now();
    const ended = this.#listeners.map((listener) => listener(name, details));
    return (outcome, measuredSeconds) => {
      const seconds = measuredSeconds ?? (performance.now() - began) / 1_000;
      for (const end of ended) end(outcome, seconds);
    };
  }
}
