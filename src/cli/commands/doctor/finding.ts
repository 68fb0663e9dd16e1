/** The result of a check, and what to do if it failed. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
  readonly next?: string;
}

export const ok = (check: string, detail: string): Finding => ({ check, state: 'ok', detail });
export const skipped = (check: string, detail: string): Finding => ({ check, state: 'skipped', detail });
export const failed = (check: string, detail: string, next: string): Finding => ({
  check,
  state: 'failed',
  detail,
  next,
});
