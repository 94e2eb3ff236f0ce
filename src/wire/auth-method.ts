// The methods of authentication that the Authentication-Protocol option can name (RFC 1661 §6.2; RFC 1994 §3).

import type { ConfOption } from "./control.ts";
import { authOption, ChapDigest, readAuth, readChapDigest } from "./lcp.ts";
import { Protocol } from "./protocols.ts";

export type AuthMethod = "eap" | "chap-md5" | "mschap-v2" | "mschap" | "pap";

export function methodOption(method: AuthMethod): ConfOption {
  switch (method) {
    case "pap":
      return authOption(Protocol.PAP);
    case "eap":
      return authOption(Protocol.EAP);
    case "chap-md5":
      return authOption(Protocol.CHAP, ChapDigest.Md5);
    case "mschap":
      return authOption(Protocol.CHAP, ChapDigest.Ms);
    case "mschap-v2":
      return authOption(Protocol.CHAP, ChapDigest.MsV2);
  }
}

export function readMethod(value: Uint8Array): AuthMethod | undefined {
  const auth = readAuth(value);
  if (auth === undefined) return undefined;
  if (auth.protocol === Protocol.PAP && auth.data.length === 0) return "pap";
  if (auth.protocol === Protocol.EAP && auth.data.length === 0) return "eap";
  switch (readChapDigest(auth)) {
    case ChapDigest.Md5:
      return "chap-md5";
    case ChapDigest.Ms:
      return "mschap";
    case ChapDigest.MsV2:
      return "mschap-v2";
    default:
      return undefined;
  }
}
