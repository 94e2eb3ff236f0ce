// One row is one option of a control protocol: what we ask for, how we answer, what the peer's answers change, and how
// pppd's debug lines show it. OptionTalk negotiates all rows of a protocol.

import type { ConfOption, OptionList, Verdict } from "../../wire/control.ts";
import type { Intersection } from "../../wire/option-rows.ts";
import type { ValueText } from "../../wire/text-part.ts";
import { type Answer, weigh } from "../dialect.ts";

/** The records that the rows of one protocol use during negotiation. */
export interface Talk<Config, Got, Peer, Host> {
  readonly config: Config;
  readonly host: Host;
  /** What we ask for. Once the protocol is up, the peer has agreed to it. */
  readonly got: Got;
  /** What the peer's last request asked for and we agreed to. */
  readonly peer: Peer;
}

/** A row declares only the fields it needs of each record. The protocol's records are put together from all its rows. */
export interface OptionRow<Config, Got, Peer, Host> {
  readonly type: number;
  /** The row's fields when we ask for nothing, and when the peer has sent nothing. */
  readonly got: Got;
  readonly peer: Peer;
  /** Shows the value in pppd's words. Leave it out if pppd has no words for the option: it is shown as octets then. */
  readonly describe?: ValueText;
  /** Negotiation starts. Writes to `got` what we ask for first. */
  start?(talk: Talk<Config, Got, Peer, Host>): void;
  /** The option in our next request. Undefined: the request does not have it. */
  ask?(talk: Talk<Config, Got, Peer, Host>): ConfOption | undefined;
  /**
   * Returns the verdict on the peer's option. For an Ack, the agreement is written to `peer`. Without this function the
   * option is Rejected.
   */
  judge?(value: Uint8Array, talk: Talk<Config, Got, Peer, Host>): Verdict;
  /** True when the type can have the value that is in a Nak. Without this function it can have any value. */
  understands?(value: Uint8Array): boolean;
  /**
   * Handles a Nak. With `asReject`, the peer has sent too many of them. Without this function a Nak changes nothing.
   */
  naked?(value: Uint8Array, talk: Talk<Config, Got, Peer, Host>, asReject: boolean): void;
  /** Handles a Reject. Without this function the row's fields of `got` become those of the row. */
  rejected?(talk: Talk<Config, Got, Peer, Host>): void;
}

type ConfigOf<Row> = Row extends OptionRow<infer Config, infer _Got, infer _Peer, infer _Host> ? Config : never;
/** The configuration that all rows of a list need, and the records that they write. */
export type RowsConfig<Rows extends readonly unknown[]> = Intersection<ConfigOf<Rows[number]>>;
export type RowsGot<Rows extends readonly { got: unknown }[]> = Intersection<Rows[number]["got"]>;
export type RowsPeer<Rows extends readonly { peer: unknown }[]> = Intersection<Rows[number]["peer"]>;

/** The negotiation of one protocol's options, row by row. */
export class OptionTalk<Config, Got extends object, Peer extends object, Host> implements Talk<
  Config,
  Got,
  Peer,
  Host
> {
  readonly config: Config;
  readonly host: Host;
  readonly got: Got;
  peer: Peer;
  readonly #rows: readonly OptionRow<Config, Partial<Got>, Partial<Peer>, Host>[];

  constructor(
    rows: readonly OptionRow<NoInfer<Config>, Partial<NoInfer<Got>>, Partial<NoInfer<Peer>>, NoInfer<Host>>[],
    config: NoInfer<Config>,
    host: NoInfer<Host>,
  ) {
    this.#rows = rows;
    this.config = config;
    this.host = host;
    this.got = Object.assign({}, ...rows.map((row) => row.got));
    this.peer = this.#silentPeer();
  }

  #silentPeer(): Peer {
    return Object.assign({}, ...this.#rows.map((row) => row.peer));
  }

  #row(type: number): OptionRow<Config, Partial<Got>, Partial<Peer>, Host> | undefined {
    return this.#rows.find((row) => row.type === type);
  }

  reset(): void {
    for (const row of this.#rows) Object.assign(this.got, row.got);
    for (const row of this.#rows) row.start?.(this);
    this.peer = this.#silentPeer();
  }

  request(): ConfOption[] {
    return this.#rows.map((row) => row.ask?.(this)).filter((option) => option !== undefined);
  }

  /** Judges a request. Options of type `insist` are still Naked when only Rejects are allowed. */
  judge(list: OptionList, rejectOnly: boolean, insist?: number): Answer {
    this.peer = this.#silentPeer();
    return weigh(list, rejectOnly, ({ type, value }) => this.#row(type)?.judge?.(value, this) ?? "reject", insist);
  }

  understands(options: readonly ConfOption[]): boolean {
    return options.every(({ type, value }) => this.#row(type)?.understands?.(value) ?? true);
  }

  naked({ type, value }: ConfOption, asReject: boolean): void {
    this.#row(type)?.naked?.(value, this, asReject);
  }

  rejected({ type }: ConfOption): void {
    const row = this.#row(type);
    if (row?.rejected !== undefined) row.rejected(this);
    else Object.assign(this.got, row?.got);
  }
}
