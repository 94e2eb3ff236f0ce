// The numbers of CCP's options (RFC 1962 §4). Their values are in compress/methods.

export const CcpOption = {
  Oui: 0,
  /** A flag. */
  Predictor1: 1,
  /** A flag. */
  Predictor2: 2,
  Puddle: 3,
  HpPpc: 16,
  Stac: 17,
  /** MPPC and MPPE. */
  Mppe: 18,
  Gandalf: 19,
  V42bis: 20,
  BsdCompress: 21,
  LzsDcp: 23,
  /** Deflate's number in the draft. It is assigned to Magnalink. */
  DeflateDraft: 24,
  Dce: 25,
  Deflate: 26,
} as const;
export type CcpOption = (typeof CcpOption)[keyof typeof CcpOption];
