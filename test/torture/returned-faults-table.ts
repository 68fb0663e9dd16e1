/** A fault of the first releases, as changes of the sources that bring it back. */
export interface ReturnedFault {
  /** The test that must fail then, as docs/reliability.md names it: `file: title`. */
  readonly test: string;
  readonly edits: readonly Edit[];
}

interface Edit {
  readonly file: string;
  /** A text that the file has once. */
  readonly from: string;
  readonly to: string;
}

type Change = [file: string, from: string, to: string];

const fault = (test: string, ...edits: readonly Change[]): ReturnedFault => ({
  test,
  edits: edits.map(([file, from, to]) => ({ file: `src/${file}`, from, to })),
});

const SQLITE = 'eventstore/sqlite';
const ESDB = 'eventstore/esdb';
/** The mark that a checkpoint leaves in a file is not seen. */
const NO_MARK: Change = [
  `${SQLITE}/find-loss.ts`,
  "db !== undefined && integer(db, 'PRAGMA user_version') === INCOMPLETE",
  'false',
];
/** A large answer is computed as a whole before it is sent. */
const IN_ONE_PART: Change = [
  'http/server/streamed-answer.ts',
  'const PART = 64 * 1024;',
  'const PART = 1e12;',
];
/** The clock is compared with nothing. */
const NO_GUARD: Change = [
  'ledger/clock-guard.ts',
  'if (this.#expected === undefined) return undefined;',
  'return undefined;',
];

export const RETURNED_FAULTS: readonly ReturnedFault[] = [
  fault('test/eventstore/sqlite-loss.test.ts: a bit in the middle of its write-ahead log is flipped', [
    `${SQLITE}/wal.ts`,
    'if (bad !== undefined && continues && isAfterCommit)',
    'if (false)',
  ]),
  fault('test/eventstore/sqlite-loss.test.ts: it was copied without its write-ahead log', NO_MARK),
  fault(
    'test/eventstore/sqlite-loss.test.ts: if its file alone was copied while the store was used, at any age',
    NO_MARK,
  ),
  fault('test/eventstore/sqlite-loss.test.ts: its write-ahead log is cut', [
    `${SQLITE}/find-loss.ts`,
    'if (known !== undefined) return lossBy(known, state);',
    '',
  ]),
  fault('test/http/checkpoint-file.test.ts: each event is signed within 10 seconds', [
    'jobs/checkpoint-schedule.ts',
    'await this.#fileIfDue();',
    '',
  ]),
  fault('test/http/checkpoint-file.test.ts: a store that was put back from a backup', [
    'audit/checkpoint-signer.ts',
    'if (file === undefined || this.#filed !== undefined) return;',
    'return;',
  ]),
  fault(
    'test/cli/log-behind.test.ts: a ledger whose acknowledged facts are lost says so everywhere and takes nothing',
    [`${SQLITE}/find-loss.ts`, 'const { path, db, head, wal, witness } = state;', 'return undefined;'],
  ),
  fault(
    'test/fault/restored-log.test.ts: is not used although the same event stands at its last position again',
    [
      'projections/projections.ts',
      'if (starts === undefined || origin === undefined) {',
      'if (isEndInLog) {',
    ],
  ),
  fault('test/http/clock.test.ts: a clock that is set 70 days ahead closes nothing', NO_GUARD),
  fault('test/http/clock.test.ts: a clock behind the newest event of the log closes nothing', NO_GUARD),
  fault(
    'test/http/clock.test.ts: a new ledger on EventStoreDB whose clock is 70 days ahead of that of the server closes nothing',
    ['ledger/clock-guard.ts', 'const server = await serverTime();', 'const server = undefined;'],
  ),
  fault('test/http/clock.test.ts: never makes recordedAt decrease', [
    'ledger/recording-clock.ts',
    'return this.#newest;',
    'return this.#wall();',
  ]),
  fault('test/http/clock.test.ts: lets asOf find the facts that were known at the time each answer states', [
    'ledger/recording-clock.ts',
    'return this.#newest;',
    'return this.#wall();',
  ]),
  fault('test/http/browsers.test.ts: a page of another origin cannot close a month by %s', [
    'http/server/browsers.ts',
    "return done(new Problem('foreign-origin', detail));",
    'return done();',
  ]),
  fault(
    'test/http/heavy-reads.test.ts: does not hold the event loop: %s',
    ['util/event-loop-yielder.ts', 'return performance.now() - this.#since >= SLICE_MS;', 'return false;'],
    IN_ONE_PART,
  ),
  fault(
    'test/http/heavy-reads.test.ts: stops when its client is gone: %s',
    ['http/server/heavy-reads.ts', 'gone.abort(new ClientGone());', ''],
    IN_ONE_PART,
  ),
  fault('test/http/heavy-reads.test.ts: is rejected if too many are in progress', [
    'http/server/heavy-reads.ts',
    'if (this.answers.size >= MAX_IN_PROGRESS) {',
    'if (this.answers.size < 0) {',
  ]),
  fault('test/http/http-semantics.test.ts: is not parsed: a body of brackets does not hold the others up', [
    'http/server/strict-json.ts',
    'if (!item.isTooDeep && size <= maxItemBytes) continue;',
    'continue;',
  ]),
  fault('test/http/http-semantics.test.ts: has at most 8 answers under way, however many requests it sends', [
    'http/server/connections.ts',
    'const MAX_UNDER_WAY = 8;',
    'const MAX_UNDER_WAY = 1_000;',
  ]),
  fault('test/projections/model/flat-cost.test.ts: is about the same on 20,000 facts as on 200, for %s', [
    'projections/model/bill-history.ts',
    'if (this.#decisions === undefined) {\n      const last',
    'if (facts) {\n      const last',
  ]),
  fault('test/http/busy.test.ts: refuses work, sends the console, and says how it is', [
    'http/server/server.ts',
    'if (routeOptions.config.alwaysAnswers === true) return;',
    '',
  ]),
  fault('test/fault/foreign-lock.test.ts: while another program holds the lock of the file', [
    `${SQLITE}/writer.ts`,
    "if (!this.#db.isTransaction) return 'busy';",
    "if (!this.#db.isTransaction) throw new Error('locked');",
  ]),
  fault(
    'test/eventstore/sqlite-file.test.ts: no other program can write to it',
    [
      `${SQLITE}/writer.ts`,
      'this.#acknowledged?.add(group.log);\n    this.hold();',
      'this.#acknowledged?.add(group.log);',
    ],
    [`${SQLITE}/writer.ts`, 'writer.checkpointIfDue();\n      writer.hold();', 'writer.checkpointIfDue();'],
  ),
  fault(
    'test/http/evidence.test.ts: yields no complete evidence file if it is altered while the ledger runs',
    ['audit/evidence/build-evidence.ts', 'if (error instanceof LeavesChanged) log.reportChange(error);', ''],
  ),
  fault(
    'test/audit/signed-log.test.ts: tampering with the log of a running ledger is detected by the next proof that reads it',
    ['audit/log-tree.ts', 'if (error instanceof LeavesChanged) this.#options.onChanged?.(error);', ''],
  ),
  fault('test/cli/log-behind.test.ts: a ledger whose file was renamed while it ran stops', [
    'main.ts',
    'else ledger.app.close().then(exit, exit);',
    'else exit();',
  ]),
  fault(
    'test/eventstore/sqlite-file.test.ts: the files of a store can be read by their owner only, in any folder',
    [`${SQLITE}/database.ts`, '  protect(path);\n', ''],
  ),
  fault(
    'test/eventstore/sqlite-file.test.ts: a second store does not start after the lock file was deleted',
    [`${SQLITE}/writer.ts`, '    this.hold();\n    if (!this.#db.isTransaction) throw locked(path);\n', ''],
  ),
  fault('test/eventstore/sqlite-file.test.ts: a second store does not start by a hard link', [
    `${SQLITE}/database.ts`,
    'if (names > 1)',
    'if (names > 9)',
  ]),
  fault('test/eventstore/sqlite-file.test.ts: is refused with what to do if a page of it is damaged', [
    `${SQLITE}/database.ts`,
    'case SQLITE_CORRUPT:',
    'case -1:',
  ]),
  fault('test/cli/log.test.ts: log key retire removes the old one once both have signed', [
    'audit/key-file.ts',
    '  requireSignatures(note, keys);\n',
    '',
  ]),
  fault(
    'test/eventstore/esdb-interrupted-reads.test.ts: if more than 1,000 reads of every kind are interrupted in every way',
    [`${ESDB}/complete-read.ts`, 'if (code !== status.OK)', 'if (code === undefined && false)'],
    [`${ESDB}/reader.ts`, 'this.#disposeIfUnused(failed);', 'void disposeClient(failed.client);'],
  ),
  fault(
    'test/eventstore/esdb-shared-server.test.ts: answers no read from a node that lacks what was acknowledged, such as a former leader',
    [`${ESDB}/seen-position.ts`, 'if (end >= seen) return;', 'return;'],
  ),
  fault('test/eventstore/esdb-shared-server.test.ts: is not read again by an idle follower', [
    `${ESDB}/numbered-log.ts`,
    'if (end === undefined || end.commit <= (cursor.at?.commit ?? -1n)) return;',
    'return;',
  ]),
  fault('test/ledger/cluster-history-cache.test.ts: keeps as many histories as fit into its bytes', [
    'ledger/cluster-history-cache.ts',
    'while (this.#bytes > this.#maxBytes && this.#entries.size > 1)',
    'while (this.#entries.size > 2)',
  ]),
  fault('test/ledger/cluster-history-cache.test.ts: does not read a new cluster', [
    'ledger/cluster-history-cache.ts',
    'if (this.#uncertain.has(clusterId) || !this.#isNew(clusterId)) return undefined;',
    'return undefined;',
  ]),
  fault(
    'test/audit/signed-log.test.ts: signs the end of the log when it stops, also if an append failed shortly before',
    [
      'audit/signed-log.ts',
      'if (this.isReady) await this.#signLast();',
      'if (this.isReady && this.#store.health().reachable) await this.#signLast();',
    ],
  ),
  fault('test/audit/signed-log.test.ts: says how many events stay unsigned if it cannot sign when it stops', [
    'audit/signed-log.ts',
    'if (unsigned <= 0) return;',
    'return;',
  ]),
  fault('test/eventstore/log-index.test.ts: is not named in the log if it is stored soon', [
    `${ESDB}/log-index.ts`,
    '!hasWarned && performance.now() - startedAt > WARN_AFTER_MS',
    '!hasWarned',
  ]),
  fault(
    'test/eventstore/esdb-reachability.test.ts: is named once if the user may not read $all, and no append is accepted',
    [`${ESDB}/esdb-store.ts`, '() => this.#requireLogReadable(),', 'async () => undefined,'],
  ),
  fault(
    'test/eventstore/esdb-reachability.test.ts: is named if the server uses TLS and the ledger does not',
    [`${ESDB}/esdb-store.ts`, 'diagnose: () => tlsMismatch(settings),', 'diagnose: async () => undefined,'],
  ),
  fault(
    'test/eventstore/esdb-reachability.test.ts: names the file of a certificate that is missing, or is none',
    [`${ESDB}/esdb-store.ts`, 'requireFiles(connection);', ''],
  ),
  fault('test/eventstore/esdb-reachability.test.ts: appends are then refused at once, until it is back', [
    `${ESDB}/reachability.ts`,
    'if (!isDown || failedForMs < this.#options.outageMs) continue;',
    'continue;',
  ]),
];
