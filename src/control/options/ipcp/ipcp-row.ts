// A row of IPCP.

import type { OptionRow, Talk } from "../option-row.ts";

export interface IpcpHost {
  /**
   * The address that the peer should have. 0: the peer names it. The secrets file may name another than the options.
   */
  wantPeer: number;
}

/** `Ours` is what we ask for; `Theirs` is what the peer's request said. */
export type IpcpRow<Config, Ours, Theirs> = OptionRow<Config, Ours, Theirs, IpcpHost>;
export type IpcpTalk<Config, Ours, Theirs> = Talk<Config, Ours, Theirs, IpcpHost>;
