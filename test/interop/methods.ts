// The rows of the matrix: every method of authentication, compression and encryption, with its options and the messages
// that prove it.

import type { Kind, Side } from "../kit/end.ts";
import type { Load } from "../kit/transfer.ts";

/** The options for both sides, for one side, or for the side that is ours or the real one. */
type By<T> = Partial<Record<"both" | Side | "ours" | "real", T>>;

export interface Method {
  readonly name: string;
  readonly options: By<string>;
  /** Lines of the log that must be there. */
  readonly says: By<RegExp>;
  /** The protocol of most frames. By default 0x21 or 0x57. */
  readonly carried?: number;
  /**
   * The least octets of payload for each octet on a clean line, for the sides that send; by default 0.7, and 0.5 with a
   * light load. This is well below the value on an idle machine, because TCP repeats much on a busy one.
   */
  readonly ratio?: By<number>;
  /** It loses its history with a frame, and must ask for a reset on a noisy line. */
  readonly resets?: true;
  /** The probability of a bit error on the noisy line. */
  readonly ber?: number;
  /** The files are also sent between the link-local addresses. */
  readonly ipv6?: true;
  /** TCP time stamps, which Linux uses by default, keep VJ from compressing most packets. */
  readonly timestamps?: true;
  /** The reason why tshark cannot read it. */
  readonly unread?: string;
  /** The part that pppd 2.5.2 plays too. Its kernel is the same, so one part of a few methods is enough. */
  readonly other?: Side;
  /** "light" for a method that does not touch the data: what it carries is in another row. */
  readonly load?: Load;
  /** The reason why the two real ones cannot do it. */
  readonly unreal?: string;
}

/** The options for this side, the general ones first. */
export function pick<T>(by: By<T>, side: Side, kind: Kind): T[] {
  return [by.both, by[side], kind === "ours" ? by.ours : by.real].filter((value) => value !== undefined);
}

export const SECRETS = { srv: "gargleBlaster", zaphod: "towelDay" } as const;

const NOTHING = "noauth noipv6 novj noccp";
const VJ = "noauth noipv6 noccp";
const CCP = "noauth noipv6 novj";
const MSCHAP = { both: "noipv6 novj", client: "noauth" } as const;
const CLIENT = { both: "noipv6 novj noccp", client: "noauth" } as const;

/** Both sides agreed on it: a packet in the log shows it. */
const agreed = (protocol: string, option: string): RegExp =>
  RegExp(`^(sent|rcvd) \\[${protocol} ConfAck .*<${option}>`);
const deflate = (windows: string): RegExp => RegExp(`^Deflate \\(${windows}\\) compression enabled`);

/** One side authenticates itself, the client by default. A new challenge each second makes it happen in the noise too. */
function authentication(name: string, demand: string, auth: string, success: RegExp, other?: Side): Method {
  return {
    name,
    ...(other === undefined ? {} : { other }),
    load: "light",
    options: { ...CLIENT, server: `auth ${demand}` },
    says: { both: agreed("LCP", auth), client: success },
  };
}

/** One bit in 330000, for methods that must recover their history: each loss also costs the packets under way. */
const STATEFUL = 3e-6;

/** The methods of the real pppd. Ours is the server and the client in turn. */
export const METHODS: readonly Method[] = [
  { name: "nothing", options: { both: NOTHING }, says: {} },
  {
    name: "VJ",
    other: "server",
    options: { both: VJ },
    says: { both: agreed("IPCP", "compress VJ 0f 01") },
    carried: 0x2d,
    ber: 1e-6,
  },
  {
    name: "VJ, slots always said",
    options: { both: `${VJ} novjccomp` },
    says: { both: agreed("IPCP", "compress VJ 0f 00") },
    carried: 0x2d,
    ber: 1e-6,
  },
  {
    name: "VJ, 3 slots",
    options: { both: `${VJ} vj-max-slots 3` },
    says: { both: agreed("IPCP", "compress VJ 02 01") },
    carried: 0x2d,
    ber: 1e-6,
  },

  ...([9, 15] as const).map((window): Method => ({
    name: `Deflate ${window}`,
    options: { both: `${CCP} nobsdcomp deflate ${window}` },
    says: { both: deflate(`${window}`) },
    carried: 0xfd,
    ratio: { both: 1 },
    resets: true,
    ber: STATEFUL,
  })),
  {
    name: "Deflate 15 and 10",
    other: "client",
    options: { both: `${CCP} nobsdcomp`, server: "deflate 15,10", client: "deflate 12,15" },
    says: { server: deflate("15/10"), client: deflate("10/15") },
    carried: 0xfd,
    ratio: { both: 1 },
    resets: true,
    ber: STATEFUL,
  },
  ...([9, 12, 15] as const).map((bits): Method => ({
    name: `BSD-Compress ${bits}`,
    // The Linux kernel's decompressor fails at the second code where a long has 64 bits. It can only compress.
    options: { both: `${CCP} nodeflate`, ours: `bsdcomp ${bits},0`, real: `bsdcomp 0,${bits}` },
    says: {
      ours: RegExp(`^BSD-Compress \\(${bits}\\) receive compression enabled`),
      real: RegExp(`^BSD-Compress \\(${bits}\\) transmit compression enabled`),
    },
    carried: 0xfd,
    ratio: { real: bits === 9 ? 0.85 : 1 },
    resets: true,
    ber: STATEFUL,
    unreal: "the kernel's decompressor is broken",
  })),

  ...([40, 128] as const).map((bits): Method => ({
    name: `MPPE ${bits}`,
    other: bits === 40 ? "server" : "client",
    options: { ...MSCHAP, both: `${MSCHAP.both} require-mppe-${bits}`, server: "auth require-mschap-v2" },
    says: { both: RegExp(`^MPPE ${bits}-bit stateless compression enabled`) },
    carried: 0xfd,
  })),
  {
    name: "MPPE 128 by MS-CHAP",
    options: { ...MSCHAP, both: `${MSCHAP.both} require-mppe-128`, server: "auth require-mschap" },
    says: { both: /^MPPE 128-bit stateless compression enabled/ },
    carried: 0xfd,
    load: "light",
  },

  authentication("PAP", "require-pap", "auth pap", /^PAP authentication succeeded/, "client"),
  authentication(
    "CHAP-MD5",
    "require-chap chap-interval 1",
    "auth chap MD5",
    /^CHAP authentication succeeded/,
    "server",
  ),
  authentication("MS-CHAP", "require-mschap chap-interval 1", "auth chap MS", /^CHAP authentication succeeded/),
  authentication(
    "MS-CHAPv2",
    "require-mschap-v2 chap-interval 1",
    "auth chap MS-v2",
    /^CHAP authentication succeeded/,
    "server",
  ),
  authentication("EAP-MD5", "require-eap eap-interval 1", "auth eap", /^EAP authentication succeeded/, "server"),
  {
    name: "CHAP-MD5 both ways",
    options: { both: "noipv6 novj noccp auth require-chap", server: "remotename zaphod" },
    says: { both: /^CHAP authentication succeeded/ },
    load: "light",
  },
  {
    name: "PAP one way, EAP-MD5 the other",
    other: "client",
    options: { both: "noipv6 novj noccp auth", server: "require-pap remotename zaphod", client: "require-eap" },
    says: { server: /^EAP authentication succeeded/, client: /^PAP authentication succeeded/ },
    load: "light",
  },

  {
    name: "IPv6",
    other: "client",
    options: { both: "noauth novj noccp +ipv6" },
    says: { both: agreed("IPV6CP", "addr fe80::.*") },
    load: "light",
    ipv6: true,
  },
  {
    name: "multilink, one link",
    options: { both: `${NOTHING} multilink` },
    says: { both: /^New bundle ppp0 created/ },
    carried: 0x3d,
  },
  {
    name: "multilink, one link, short numbers, compressed",
    other: "server",
    options: { both: "noauth noipv6 multilink mpshortseq nobsdcomp" },
    says: { both: deflate("15") },
    carried: 0x3d,
    ratio: { both: 1 },
    resets: true,
    ber: 1e-6,
    unread: "it takes every number for a long one",
  },
  {
    name: "all that is on by itself",
    other: "client",
    options: { both: "noauth" },
    says: { both: deflate("15") },
    carried: 0xfd,
    ratio: { both: 1.1 },
    resets: true,
    ber: 1e-6,
    ipv6: true,
    timestamps: true,
  },
];

/** The methods that the real pppd or its kernel does not have, between two of ours. */
export const OUR_METHODS: readonly Method[] = [
  ...([9, 12, 15] as const).map((bits): Method => ({
    name: `BSD-Compress ${bits} both ways`,
    options: { both: `${CCP} nodeflate bsdcomp ${bits}` },
    says: { both: RegExp(`^BSD-Compress \\(${bits}\\) compression enabled`) },
    carried: 0xfd,
    ratio: { both: bits === 9 ? 0.85 : 1 },
    resets: true,
    ber: STATEFUL,
  })),
  {
    name: "Predictor-1",
    options: { both: `${CCP} nodeflate nobsdcomp predictor1` },
    says: { both: /^Predictor 1 compression enabled/ },
    carried: 0xfd,
    ratio: { both: 1 },
    resets: true,
    ber: STATEFUL,
  },
  {
    name: "Stac LZS",
    options: { both: `${CCP} nodeflate nobsdcomp lzs` },
    says: { both: /^Stac LZS compression enabled/ },
    carried: 0xfd,
    ratio: { both: 1.05 },
    resets: true,
    ber: STATEFUL,
  },
  {
    name: "MPPC",
    options: { both: `${CCP} nodeflate nobsdcomp mppc` },
    says: { both: /^MPPC compression enabled/ },
    carried: 0xfd,
    ratio: { both: 1.05 },
    resets: true,
    ber: STATEFUL,
  },
  {
    name: "MPPC with MPPE 128",
    options: { ...MSCHAP, both: `${MSCHAP.both} mppc require-mppe-128`, server: "auth require-mschap-v2" },
    says: { both: /^MPPE 128-bit stateless MPPC compression enabled/ },
    carried: 0xfd,
    ratio: { both: 1.05 },
    ber: STATEFUL,
  },
  {
    name: "MPPE 56",
    options: { ...MSCHAP, both: `${MSCHAP.both} require-mppe-56`, server: "auth require-mschap-v2" },
    says: { both: /^MPPE 56-bit stateless compression enabled/ },
    carried: 0xfd,
  },
  { name: "FCS-32", options: { both: `${NOTHING} fcs 32` }, says: { both: agreed("LCP", " 09 03 04") } },
  {
    name: "link quality reports",
    options: { both: `${NOTHING} lqr-interval 1` },
    says: { both: agreed("LCP", "quality lqr .*") },
    load: "light",
    unread: "it calls every quality option of LCP malformed",
  },
];
