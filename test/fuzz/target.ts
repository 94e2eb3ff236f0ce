// A fuzz target: a program under test with an input that can be written down and shrunk.

/** One change of valid traffic or text. The target gives it a meaning. All numbers come from the seed. */
export interface Mutation {
  /** The number of the piece of valid input that it changes, from 0. */
  readonly piece: number;
  readonly kind: string;
  readonly a: number;
  readonly b: number;
}

/** An input: the valid part comes from the seed, and the mutations damage it. */
export interface FuzzInput {
  readonly seed: number;
  readonly mutations: readonly Mutation[];
}

export interface Target {
  readonly name: string;
  /** The kinds of mutation that it knows. */
  readonly kinds: readonly string[];
  /** The approximate number of pieces of valid input that mutations can hit. */
  readonly pieces: number;
  /** Processes the input and returns the number of octets. Throws when something is wrong. */
  run(input: FuzzInput): number;
}

/** The error that the target reports, or undefined. */
export function failureOf(target: Target, input: FuzzInput): string | undefined {
  try {
    target.run(input);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/**
 * The shortest list of mutations that still fails: tries halves, then quarters, down to single ones (delta debugging).
 */
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
