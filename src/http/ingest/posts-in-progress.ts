import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from '../server/problem.ts';

/**
 * Maximum number of posts of events that are recorded at once. Each waits for those before it, so this is what bounds how long a
 * post takes while more clients post than the machine can serve. At 96, 500 clients wait less than twice as long as 64 do; fewer would
 * slow down posts to a server whose answers take 50 ms.
 */
const MAX_IN_PROGRESS = 96;
const RETRY_AFTER_S = 1;
/** Time until a rejection is answered: a client that asks again at once would take the time of those that are served. */
const REJECTED_AFTER_MS = 500;

/** Bounds the posts that are in progress at once. More are rejected before anything of them is recorded. */
export class PostsInProgress {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Handles a post. @throws Problem `overloaded` if too many are in progress */
  async run<T>(request: { body: unknown }, handle: () => Promise<T>): Promise<T> {
    if (this.#count >= MAX_IN_PROGRESS) {
      // A batch takes megabytes, which must not wait as well.
      request.body = undefined;
      await wait(REJECTED_AFTER_MS);
      const detail = `${MAX_IN_PROGRESS} posts are being recorded; nothing of this one was recorded`;
      throw new Problem('overloaded', detail, { retryAfterSeconds: RETRY_AFTER_S });
    }
    this.#count++;
    try {
      return await handle();
    } finally {
      this.#count--;
    }
  }
}
