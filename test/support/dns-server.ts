import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

/** The answer to a name: addresses, an error, or silence. A function is called for every query. */
export type DnsAnswer = readonly string[] | 'NXDOMAIN' | 'SERVFAIL' | 'silence';
export type Zone = Readonly<Record<string, DnsAnswer | (() => DnsAnswer)>>;

const A = 1;
const AAAA = 28;
const CODES = { SERVFAIL: 2, NXDOMAIN: 3 };

/** A DNS server over UDP on loopback. Names that are neither in its zone nor above one of it do not exist. */
export class DnsServer {
  readonly #socket: Socket;
  readonly #zone: Zone;
  /** Names that were asked for, a query each. */
  readonly queries: string[] = [];

  private constructor(socket: Socket, zone: Zone) {
    this.#socket = socket;
    this.#zone = zone;
    socket.on('message', (query, from) => this.#answer(query, from));
  }

  static async start(zone: Zone): Promise<DnsServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket, zone);
  }

  /** As a `dnsServers` setting has it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #answer(query: Buffer, from: RemoteInfo): void {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const name = labels.join('.').toLowerCase();
    const type = query.readUInt16BE(at + 1);
    this.queries.push(name);
    const isAbove = Object.keys(this.#zone).some((each) => each.endsWith(`.${name}`));
    const entry = this.#zone[name] ?? (isAbove ? [] : 'NXDOMAIN');
    const answer = typeof entry === 'function' ? entry() : entry;
    if (answer === 'silence') return;
    const addresses =
      typeof answer === 'string' ? [] : answer.filter((each) => type === (isIPv4(each) ? A : AAAA));
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180 | (typeof answer === 'string' ? CODES[answer] : 0), 2);
    header.writeUInt16BE(addresses.length, 6);
    header.writeUInt32BE(0, 8);
    const records = addresses.map((address) => {
      const data = bytesOf(address);
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
    this.#socket.send(
      Buffer.concat([header, query.subarray(12, at + 5), ...records]),
      from.port,
      from.address,
    );
  }
}

function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [front, back] = [groups(head), groups(tail)];
  const all = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
}
