import type { Alert } from '../../data/alerts.ts';
import { type AlertWords, CHINESE } from './alert-words-zh.ts';

/** Returns the texts of an alert: those of the ledger in English, and those made of the same values in other languages. */
export function wordsOf(alert: Alert, language: string): AlertWords {
  return language === 'zh-CN' ? CHINESE[alert.kind](alert.subject, alert.data) : alert;
}
