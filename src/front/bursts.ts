// Tells a caller who sends the same again and again from one who tries another speed each time, by the bursts of damage
// that a port at a wrong speed hears. The same octets at the same speed lead to nearly the same damage.

/**
 * So many bursts in a row must be alike. Much slower senders all sound alike, as zeros, but one who tries all speeds goes
 * to three of them at most before he comes back to the likeliest speed.
 */
const ENOUGH = 4;
/** Two bursts are alike when this share of the octets of the longer one is in both. A port may hear some octets otherwise. */
const SHARE = 0.75;
/** A shorter burst may be anything. */
const FEWEST = 3;

/** How often each octet came. */
class Burst {
  readonly #counts = new Uint16Array(256);
  #length = 0;

  add(octet: number): void {
    this.#counts[octet]!++;
    this.#length++;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  isLike(other: Burst): boolean {
    if (this.#length < FEWEST) return false;
    let common = 0;
    for (let octet = 0; octet < 256; octet++) common += Math.min(this.#counts[octet]!, other.#counts[octet]!);
    return common >= SHARE * Math.max(this.#length, other.#length);
  }
}

export class Bursts {
  #last = new Burst();
  #present = new Burst();
  /** How many bursts that have ended were alike, up to the last one. */
  #alike = 0;

  octet(octet: number): void {
    this.#present.add(octet);
  }

  /** A pause: the burst has ended. */
  end(): void {
    if (this.#present.isEmpty) return;
    this.#alike = this.#present.isLike(this.#last) ? this.#alike + 1 : 1;
    this.#last = this.#present;
    this.#present = new Burst();
  }

  /** True when this burst, should it end now, and the ones before are alike. */
  get areAlike(): boolean {
    return this.#alike >= ENOUGH - 1 && this.#present.isLike(this.#last);
  }

  forget(): void {
    this.#last = new Burst();
    this.#present = new Burst();
    this.#alike = 0;
  }
}
