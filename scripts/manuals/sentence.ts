// What the tables say, as the pages write it.

/** With a capital letter, unless it begins with something that is typed, and with a full stop. */
export function sentence(text: string): string {
  const begun = /^[a-z]+(?=[ ,;:.(]|$)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** The word for a value: one that stands for something else, or words to choose from. */
export function valueText(word: string): string {
  if (!/^[a-z0-9.+-]+(\|[a-z0-9.+-]+)*$/.test(word)) return `_${word}_`;
  const choices = word.split("|").map((choice) => `\`${choice}\``);
  return choices.join("|");
}
