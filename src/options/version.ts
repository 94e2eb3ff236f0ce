// Which release this is, and which pppd scripts may take it for.

export const VERSION = "0.1.0";

/** What `pppd --version` says after "pppd version ". */
export const PPPD_VERSION = `2.5.2-compatible (nullmodem ${VERSION})`;
