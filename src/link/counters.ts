// The traffic of an interface, counted as Linux's PPP counts it, for pppstats(8).

export const TRAFFIC_FIELDS = [
  // Packets of the network phase including its control protocols, and their octets without the protocol field, before
  // compression on sending and after decompression on receiving.
  "bytes",
  "packets",
  // Van Jacobson compression. Errors and tossed packets are counted on receiving, searches and misses on sending.
  "vjCompressed",
  "vjUncompressed",
  "vjErrors",
  "vjTossed",
  "vjSearches",
  "vjMisses",
  // Packet compression since it was agreed on: compressed packets, packets that would not shrink, and all of them
  // before compression. Octets include a whole header, HEADER_OCTETS.
  "compressedBytes",
  "compressedPackets",
  "incompressibleBytes",
  "incompressiblePackets",
  "uncompressedBytes",
] as const;

/** The counters of one direction since the link came up. */
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
