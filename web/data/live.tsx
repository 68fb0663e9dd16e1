import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import { type ConnectionState, type LiveEvent, LiveStream } from './live-stream.ts';
import { oldestPosition } from './request.ts';

/** How long events are collected before the answers that are shown are read again. */
const COLLECT_MS = 1_500;
/** How long a page may be hidden before its connection is ended. */
const HIDDEN_MS = 30_000;

/** The state of the live updates. */
export interface Live {
  readonly state: ConnectionState;
  /** When the connection was lost, in milliseconds since the epoch; `undefined` while there is one. */
  readonly lostAt: number | undefined;
  /** Connects at once. */
  readonly reconnect: () => void;
}

interface LiveSource extends Live {
  readonly listen: (listener: (event: LiveEvent) => void) => () => void;
}

const Context = createContext<LiveSource>({
  state: 'unavailable',
  lostAt: undefined,
  reconnect: () => undefined,
  listen: () => () => undefined,
});

/**
 * Follows the live stream. Every event makes the answers that are shown be read again, at most once in 1.5 s. Answers of queries
 * with `meta: { isLive: false }` stay.
 */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient();
  const [{ state, lostAt }, setState] = useState<Pick<Live, 'state' | 'lostAt'>>({
    state: 'connecting',
    lostAt: undefined,
  });
  const stream = useRef<LiveStream | undefined>(undefined);
  const [listeners] = useState(() => new Set<(event: LiveEvent) => void>());

  useEffect(() => {
    let collecting: ReturnType<typeof setTimeout> | undefined;
    const readAgain = () => {
      collecting ??= setTimeout(() => {
        collecting = undefined;
        void client.invalidateQueries({ predicate: ({ meta }) => meta?.['isLive'] !== false });
      }, COLLECT_MS);
    };
    let wasLive = false;
    const opened = new LiveStream({
      onState: (next, position = 0) => {
        setState((last) => ({
          state: next,
          lostAt: next === 'lost' ? (last.lostAt ?? Date.now()) : undefined,
        }));
        // Answers do not have what was recorded in between. After a lost connection that may be of a kind that is not in the stream.
        const isBehind = wasLive || oldestPosition() < position;
        if (next === 'live' && isBehind) void client.invalidateQueries();
        wasLive ||= next === 'live';
      },
      onEvent: (event) => {
        readAgain();
        for (const listener of listeners) listener(event);
      },
    });
    stream.current = opened;
    let hiding: ReturnType<typeof setTimeout> | undefined;
    const onVisibility = () => {
      clearTimeout(hiding);
      if (document.hidden) hiding = setTimeout(() => opened.pause(), HIDDEN_MS);
      else opened.resume();
    };
    const onOnline = () => opened.resume();
    document.addEventListener('visibilitychange', onVisibility);
    window.addEventListener('online', onOnline);
    return () => {
      clearTimeout(collecting);
      clearTimeout(hiding);
      document.removeEventListener('visibilitychange', onVisibility);
      window.removeEventListener('online', onOnline);
      opened.close();
    };
  }, [client, listeners]);

  const [listen] = useState(() => (listener: (event: LiveEvent) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  });
  const [reconnect] = useState(() => () => stream.current?.resume());
  return <Context value={{ state, lostAt, listen, reconnect }}>{children}</Context>;
}

/** Returns the state of the live updates. */
export function useLive(): Live {
  return useContext(Context);
}

/** Calls a function with every event of the live stream. */
export function useLiveEvents(onEvent: (event: LiveEvent) => void): void {
  const { listen } = useContext(Context);
  const latest = useRef(onEvent);
  useEffect(() => {
    latest.current = onEvent;
  });
  useEffect(() => listen((event) => latest.current(event)), [listen]);
}
