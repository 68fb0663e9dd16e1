import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { ROOMS } from './rooms.ts';

// biome-ignore lint/style/noProcessEnv: Stryker starts Vitest in processes of its own, which get the room in no other way.
const { MUTANTS_ROOM: name = '' } = process.env;
const tests = ROOMS[name]?.tests ?? [];

/** The tests of one room, which run against each mutant of it. */
export default defineConfig({
  test: {
    include: [...tests],
    globalSetup: fileURLToPath(new URL('./global-setup.ts', import.meta.url)),
    setupFiles: [fileURLToPath(new URL('./short-properties.ts', import.meta.url))],
    testTimeout: 60_000,
  },
});
