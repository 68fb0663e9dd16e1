/** Returns what is allowed, as "must be …", from the message of an issue that zod reports. The value given is left out. */
export function constraintOf(issue: { readonly message: string }): string {
  return issue.message.replace(/^Invalid (input|option): expected/, 'must be').replace(/, received .*$/, '');
}
