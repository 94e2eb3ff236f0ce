// The first octets of a program: which protocol it speaks, told apart by the first octet, and what it asks for. The octets come
// in any pieces.

import { MOST_HEADER, readHttp, startsMethod } from "./http.ts";
import { type Heard, MORE } from "./request.ts";
import { readSocks4, SOCKS4 } from "./socks4.ts";
import { readMethods, readRequest, SOCKS5 } from "./socks5.ts";

const FIRST_ROOM = 512;

export class Handshake {
  #bytes = new Uint8Array(FIRST_ROOM);
  #length = 0;
  /** So many octets of an HTTP header have been searched for its end. */
  #searched = 0;
  #methodsAgreed = false;

  /** Makes room, and returns how many octets it takes. Then they come to {@link bytes}, which may be others, at {@link length}. */
  openRoom(): number {
    if (this.#length === this.#bytes.length && this.#length < MOST_HEADER) {
      const larger = new Uint8Array(Math.min(MOST_HEADER, this.#length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#bytes.length - this.#length;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** So many octets have come. */
  take(octets: number): void {
    this.#length += octets;
  }

  /** What the octets say. To be asked again until it needs more. */
  read(): Heard {
    if (this.#length === 0) return MORE;
    const heard = this.#read(this.#bytes[0]!);
    if (heard.kind === "say" || heard.kind === "request") {
      this.#bytes.copyWithin(0, heard.used, this.#length);
      this.#length -= heard.used;
    }
    if (heard.kind === "say") this.#methodsAgreed = true;
    return heard;
  }

  #read(first: number): Heard {
    if (this.#methodsAgreed) return readRequest(this.#bytes, this.#length);
    if (first === SOCKS5) return readMethods(this.#bytes, this.#length);
    if (first === SOCKS4) return readSocks4(this.#bytes, this.#length);
    if (!startsMethod(first)) return { kind: "end", octets: new Uint8Array(0) };
    const heard = readHttp(this.#bytes, this.#length, this.#searched);
    this.#searched = this.#length;
    return heard;
  }
}
