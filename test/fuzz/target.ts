// What a fuzz target is: a program under test, fed with an input that can be written down and made smaller.

/** One change of valid traffic or text. Its meaning is the target's; all numbers come from the seed. */
export interface Mutation {
  /** The piece of valid input it applies to, counted from 0. */
  readonly piece: number;
  readonly kind: string;
  readonly a: number;
  readonly b: number;
}

/** An input: what is valid comes from the seed, and the mutations damage it. */
export interface FuzzInput {
  readonly seed: number;
  readonly mutations: readonly Mutation[];
}

export interface Target {
  readonly name: string;
  /** The kinds of mutation it knows. */
  readonly kinds: readonly string[];
  /** About how many pieces of valid input there are, for mutations to hit. */
  readonly pieces: number;
  /** Feeds the input in; returns the octets that were fed. Throws when something is wrong. */
  run(input: FuzzInput): number;
}

/** What the target says is wrong, or undefined. */
export function failureOf(target: Target, input: FuzzInput): string | undefined {
  try {
    target.run(input);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** The shortest list of mutations that still fails: halves, then quarters, down to single ones (delta debugging). */
export function shrink(target: Target, input: FuzzInput): FuzzInput {
  let { mutations } = input;
  for (let size = Math.ceil(mutations.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < mutations.length;) {
      const fewer = mutations.toSpliced(at, size);
      if (failureOf(target, { ...input, mutations: fewer }) === undefined) at += size;
      else mutations = fewer;
    }
  }
  return { ...input, mutations };
}
