/** Loaded into the ledger before its main module (`--import`). From one message to the next it takes a profile, and sends it. */
import { startProfile } from './profile.ts';

let stop: ReturnType<typeof startProfile> | undefined;

process.on('message', async () => {
  if (stop === undefined) {
    stop = startProfile();
    await stop;
    process.send?.('begun');
    return;
  }
  const profile = await (await stop)();
  stop = undefined;
  process.send?.(profile);
});
// The channel must not keep the ledger from ending.
process.channel?.unref();
