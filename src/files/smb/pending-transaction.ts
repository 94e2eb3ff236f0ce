// A transaction of which not all parts have come (transaction.ts).

import type { Request } from "./smb-message.ts";

export interface TransactionHead {
  readonly setup: Uint8Array;
  readonly name: string;
  readonly totalParameters: number;
  readonly totalData: number;
  readonly mostParameters: number;
  readonly mostData: number;
}

/** Parts of a transaction that have come. */
export interface PendingTransaction {
  readonly request: Request;
  readonly head: TransactionHead;
  readonly parameters: Uint8Array;
  readonly data: Uint8Array;
  parametersLeft: number;
  dataLeft: number;
}
