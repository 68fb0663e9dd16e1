/**
 * The events that the ingest rows post: lifecycle events of 5,000 clusters, or of a given number, in turn, first each one's registration, then stops and
 * resumptions. Some 350 bytes each, as text, since the generator must cost as little as it can.
 */
const CLUSTERS = 5_000;
const ACCOUNTS = 500;
const DAY_MS = 86_400_000;

/** Makes events that no other run has posted. */
export class EventSource {
  readonly #tag: string;
  readonly #startAt: number;
  readonly #clusters: number;
  #made = 0;

  /** @param tag of the run. @param clusters number of clusters that the events are about, in turn. */
  constructor(tag: string, now: number, clusters = CLUSTERS) {
    this.#tag = tag;
    this.#clusters = clusters;
    this.#startAt = now - DAY_MS;
  }

  next(): string {
    const n = this.#made++;
    const cluster = n % this.#clusters;
    const visit = Math.floor(n / this.#clusters);
    const subject = `c-${this.#tag}-${cluster}`;
    const time = new Date(this.#startAt + n).toISOString();
    return `{"specversion":"1.0","id":"e-${this.#tag}-${n}","source":"https://fleet.example/producer","type":"${typeOf(visit)}","subject":"${subject}","time":"${time}","data":${dataOf(visit, subject, cluster)}}`;
  }

  /** A batch as JSON. */
  batch(size: number): string {
    return `[${Array.from({ length: size }, () => this.next()).join(',')}]`;
  }
}

function typeOf(visit: number): string {
  const name = visit === 0 ? 'cluster.registered' : visit % 2 === 1 ? 'billing.stopped' : 'billing.resumed';
  return `io.clusterledger.${name}.v1`;
}

function dataOf(visit: number, name: string, cluster: number): string {
  if (visit > 0) return '{"cause":"manual","reason":"maintenance window of the customer"}';
  return `{"accountId":"acct-${cluster % ACCOUNTS}","name":"${name}","clusterType":"kubernetes","cloudProvider":"aws","region":"eu-central-1","labels":{"team":"payments","env":"prod"}}`;
}
