import { Link } from '@tanstack/react-router';
import type { FeedEvent } from '../../data/feed.ts';

/** The subject of an event; leads to its page. */
export function Subject({
  event: { type, subject },
}: {
  readonly event: Pick<FeedEvent, 'type' | 'subject'>;
}) {
  const to = /\.(cluster|billing|fact)\./.test(type)
    ? `/clusters/${encodeURIComponent(subject)}`
    : /\.account\./.test(type)
      ? `/accounts/${encodeURIComponent(subject)}`
      : undefined;
  if (to === undefined) return <span className="name">{subject}</span>;
  return (
    <Link to={to} className="name">
      {subject}
    </Link>
  );
}
