import { z } from 'zod';
import { FEED_TYPES } from '../../delivery/feed-event.ts';

/** Event types of the feed, separated by commas. */
export const FeedTypes = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(FEED_TYPES)).transform((types) => new Set<string>(types)))
  .meta({ pattern: '^io\\.clusterledger\\.[a-z.-]+\\.v1(,io\\.clusterledger\\.[a-z.-]+\\.v1)*$' });
