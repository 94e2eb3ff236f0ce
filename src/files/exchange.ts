// A connection of a client as the loop sees it, whatever it speaks: octets go in, octets come out (connection.ts, smb/).

/** A file that is on its way. */
export interface UnderWay {
  readonly name: string;
  readonly to: "peer" | "us";
  /** Octets so far, and in all. Undefined: nobody knows. */
  readonly octets: number;
  readonly of: number | undefined;
}

export interface Exchange {
  readonly isOver: boolean;
  /** It may be closed for another one: nothing is lost. */
  readonly isIdle: boolean;
  /** It waits for its client, which may lose what it has open. It is closed where no idle one makes room. Left out: never. */
  readonly isSilent?: boolean;
  readonly wantsInput: boolean;
  readonly wantsOutput: boolean;
  /** It has sent what it has to say, and waits for the client's end of the connection. */
  readonly hasFinished: boolean;
  /** It needs work before it has octets: {@link transmit} does a step of that. */
  readonly isWorking: boolean;
  /** What the client asks next is here already: {@link transmit} answers one such request, so that others have their turn before the next. */
  readonly hasMore: boolean;
  /** A file may be on its way. */
  readonly isCarrying: boolean;
  /** Undefined: no file is on its way. One that was handed over as a whole is, until {@link arrived}. */
  readonly underWay: UnderWay | undefined;
  /** All octets have reached the client. */
  arrived(): void;
  /** When {@link handleTimeout} is due. */
  nextTimeout(): number;
  handleTimeout(now: number): void;
  /** Octets have left for the client that no call of {@link transmit} tells of. */
  noteSent(octets: number): void;
  /** Takes all of bytes[start, end). To be called while input is wanted. */
  receive(bytes: Uint8Array, start: number, end: number, now: number): void;
  /** The client has sent all that it will send, or is gone. */
  endOfInput(): void;
  /** The connection is gone. */
  cut(): void;
  /** Puts octets for the client to into[at, end), and returns how many. */
  transmit(into: Uint8Array, at: number, end: number, now: number): number;
}
