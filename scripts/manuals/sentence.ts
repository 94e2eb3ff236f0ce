// A sentence of a line in a table.

/** With a capital letter, unless it begins with something that is typed, and with a full stop. */
export function sentence(text: string): string {
  const begun = /^[a-z]+(?=[ ,;:.(]|$)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
