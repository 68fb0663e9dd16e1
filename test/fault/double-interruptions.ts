import type { EventStoreDouble } from '../eventstoredb/double.ts';
import type { TcpProxy } from '../eventstoredb/tcp-proxy.ts';
import type { Interruption } from './interrupted-reads.ts';

/** Every way in which the double of a server, or the network to it, interrupts reads. */
export function doubleInterruptions(
  double: EventStoreDouble,
  proxy: TcpProxy,
): Readonly<Record<string, () => Interruption>> {
  const failReads = (failure: Parameters<EventStoreDouble['failReadsInProgress']>[0]) => () => ({
    interrupt: () => {
      double.failReadsInProgress(failure);
      double.endSubscriptions({ code: 13, details: 'Received RST_STREAM with code 0' });
    },
  });
  return {
    'the connection is cut': () => ({ interrupt: () => proxy.cut() }),
    'the server hangs': () => ({ interrupt: () => proxy.stall(), heal: () => proxy.resume() }),
    'the server stops and starts': () => ({ interrupt: () => double.restart('stopped') }),
    'the server is killed and starts': () => ({ interrupt: () => double.restart('killed') }),
    'the server is gone for a while': () => ({
      interrupt: () => double.stop('killed'),
      heal: () => double.start(),
    }),
    'the server is busy': failReads('busy'),
    'the server is not ready': failReads('not-ready'),
    'the server cancels the reads': failReads('cancelled'),
    'the server answers an unknown error': failReads('unknown'),
    'another node became the leader': failReads({ notLeader: { host: '127.0.0.1', port: proxy.port } }),
  };
}
