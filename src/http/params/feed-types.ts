import { z } from 'zod';
import { FEED_CHOICES, FEED_TYPES, isOfTypes } from '../../delivery/feed-event.ts';

const TYPE = 'io\\.clusterledger\\.[a-z]+\\.([a-z-]+\\.v1|\\*)';

/** Event types of the feed, or groups of them, separated by commas. */
export const FeedTypes = z
  .string()
  .transform((text) => text.split(','))
  .pipe(
    z
      .array(z.enum(FEED_CHOICES))
      .transform((types) => new Set(FEED_TYPES.filter((type) => isOfTypes(type, types)))),
  )
  .meta({ pattern: `^${TYPE}(,${TYPE})*$` });
