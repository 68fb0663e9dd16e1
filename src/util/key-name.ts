/** Returns whether a text can name a key of a signed note (C2SP signed-note): not empty, no white space, controls or plus signs. */
export function isKeyName(text: string): boolean {
  return text.isWellFormed() && /^[^\p{White_Space}+]+$/u.test(text) && !hasControl(text);
}

/** Returns whether a text has a control character that a signed note cannot have: one below U+0020 that is not a newline. */
export function hasControl(text: string): boolean {
  return /[^\P{Cc}\n\x7f-\x9f]/u.test(text);
}
