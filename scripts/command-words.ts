// The words of a script's command line: "--seed 7 --hours 24 --keep".

export interface KnownWords<Numbers extends string, Texts extends string, Flags extends string> {
  /** Each with the value that it has when it is not given. */
  readonly numbers: Readonly<Record<Numbers, number>>;
  readonly texts?: readonly Texts[];
  readonly flags?: readonly Flags[];
}

export type GivenWords<Numbers extends string, Texts extends string, Flags extends string> = {
  readonly [Name in Numbers]: number;
} & { readonly [Name in Texts]: string | undefined } & { readonly [Name in Flags]: boolean };

/** A seed that nobody knows, for a run that names none. */
export function newSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

/** What was given, or the sentence that says what is wrong with it. */
export function readWords<Numbers extends string, Texts extends string = never, Flags extends string = never>(
  words: readonly string[],
  { numbers, texts = [], flags = [] }: KnownWords<Numbers, Texts, Flags>,
): GivenWords<Numbers, Texts, Flags> | string {
  const given: Record<string, number | string | boolean | undefined> = { ...numbers };
  for (const flag of flags) given[flag] = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const name = word.replace(/^--/, "");
    const isFlag = (flags as readonly string[]).includes(name);
    const isText = (texts as readonly string[]).includes(name);
    if (word === name || (!isFlag && !isText && !Object.hasOwn(numbers, name))) {
      const known = [...Object.keys(numbers).map((one) => `--${one} N`), ...texts.map((one) => `--${one} TEXT`)];
      return `unknown word ${word}; known are ${[...known, ...flags.map((flag) => `--${flag}`)].join(", ")}`;
    }
    const value = isFlag ? "" : words[++at];
    if (value === undefined) return `${word} wants a value`;
    if (!isFlag && !isText && !(value !== "" && Number(value) >= 0)) return `${word} wants a number, not ${value}`;
    given[name] = isFlag ? true : isText ? value : Number(value);
  }
  return given as GivenWords<Numbers, Texts, Flags>;
}

/** The same, for a script: a wrong word ends it with exit code 2. */
export function commandWords<Numbers extends string, Texts extends string = never, Flags extends string = never>(
  known: KnownWords<Numbers, Texts, Flags>,
): GivenWords<Numbers, Texts, Flags> {
  const given = readWords(process.argv.slice(2), known);
  if (typeof given !== "string") return given;
  console.error(given);
  process.exit(2);
}
