// What has gone over an interface, counted as Linux's PPP counts it: what pppstats(8) shows.

export const TRAFFIC_FIELDS = [
  // Packets of the network phase, its control protocols included, as they are before and after all compression, without
  // their protocol.
  "bytes",
  "packets",
  // Van Jacobson. Errors and tossed are of the receiving side, searches and misses of the sending one.
  "vjCompressed",
  "vjUncompressed",
  "vjErrors",
  "vjTossed",
  "vjSearches",
  "vjMisses",
  // Packet compression since it was agreed on: what came out compressed, what would not shrink, and all of it as it was
  // before. Octets of a packet with a whole header before it, HEADER_OCTETS.
  "compressedBytes",
  "compressedPackets",
  "incompressibleBytes",
  "incompressiblePackets",
  "uncompressedBytes",
] as const;

/** One direction of a link since it came up, as it is being counted. */
export type TrafficCount = Record<(typeof TRAFFIC_FIELDS)[number], number>;
export type Traffic = Readonly<TrafficCount>;

export interface Counters {
  readonly received: Traffic;
  readonly sent: Traffic;
}

export const NO_TRAFFIC: Traffic = {
  bytes: 0,
  packets: 0,
  vjCompressed: 0,
  vjUncompressed: 0,
  vjErrors: 0,
  vjTossed: 0,
  vjSearches: 0,
  vjMisses: 0,
  compressedBytes: 0,
  compressedPackets: 0,
  incompressibleBytes: 0,
  incompressiblePackets: 0,
  uncompressedBytes: 0,
};

/** Address, control and a protocol of two octets: the kernel's compressors count them with every packet. */
export const HEADER_OCTETS = 4;
