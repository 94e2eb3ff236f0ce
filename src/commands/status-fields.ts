// The fields of `nullmodem status --json`, a row each: what a program may rely on. The metrics of `--prometheus` are a part of
// the rows. Fields are added, and none changes its name or its meaning.

export interface Metric {
  /** Without "nullmodem_". A name that ends in "_total" is a counter's, and any other a gauge's. */
  readonly name: string;
  /** The metric's unit in units of the field. */
  readonly scale?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** The value of a text is this label, and the metric is 1. */
  readonly label?: string;
  /** For a metric of several fields. Otherwise it is the field's meaning. */
  readonly help?: string;
}

export interface StatusField {
  /** Where it is in the object of a link: "counters.sent.bytes"; "lines[].device" in each of its lines. */
  readonly path: string;
  readonly type: "text" | "number" | "truth";
  /** "": it has none. */
  readonly unit: string;
  readonly meaning: string;
  readonly metric?: Metric;
}

function text(path: string, meaning: string, metric?: Metric): StatusField {
  return { path, type: "text", unit: "", meaning, ...(metric && { metric }) };
}

function truth(path: string, meaning: string, metric?: Metric): StatusField {
  return { path, type: "truth", unit: "", meaning, ...(metric && { metric }) };
}

function number(path: string, unit: string, meaning: string, metric?: Metric): StatusField {
  return { path, type: "number", unit, meaning, ...(metric && { metric }) };
}

const WAYS = [
  ["received", "receive", "received"],
  ["sent", "transmit", "sent"],
] as const;

/** Of one direction. */
const TRAFFIC: readonly (readonly [field: string, unit: string, meaning: string, metric: string])[] = [
  ["bytes", "octets", "Octets of packets, uncompressed and without the protocol field", "bytes_total"],
  ["packets", "packets", "Packets of the network phase, control packets too", "packets_total"],
  ["vjCompressed", "packets", "Packets whose header VJ had compressed", "vj_compressed_packets_total"],
  ["vjUncompressed", "packets", "Packets of VJ with a whole header", "vj_uncompressed_packets_total"],
  ["vjErrors", "packets", "Bad packets of VJ", "vj_errors_total"],
  ["vjTossed", "packets", "Packets that VJ dropped after a bad one", "vj_tossed_packets_total"],
  ["vjSearches", "", "Searches of VJ for a connection's slot", "vj_searches_total"],
  ["vjMisses", "", "Searches of VJ that found none", "vj_misses_total"],
  ["compressedBytes", "octets", "Octets of compressed packets, with their headers", "compressed_bytes_total"],
  ["compressedPackets", "packets", "Compressed packets", "compressed_packets_total"],
  ["incompressibleBytes", "octets", "Octets of packets that would not shrink", "incompressible_bytes_total"],
  ["incompressiblePackets", "packets", "Packets that would not shrink", "incompressible_packets_total"],
  ["uncompressedBytes", "octets", "Octets of all of these before compression", "uncompressed_bytes_total"],
];

const counters = WAYS.flatMap(([way]) =>
  TRAFFIC.map(([field, unit, meaning, metric]) =>
    number(`counters.${way}.${field}`, unit, `${meaning}, ${way}`, { name: `${way}_${metric}` }),
  ),
);

const flows = (["tcp", "udp", "echoes"] as const).flatMap((kind) => {
  const of = kind === "echoes" ? "of pings" : `of ${kind.toUpperCase()}`;
  const row = (field: string, unit: string, meaning: string, metric: string): StatusField =>
    number(`flows.${kind}.${field}`, unit, `${meaning} ${of} through sockets of the program`, {
      name: metric,
      labels: { protocol: kind },
      help: `${meaning}, through sockets of the program`,
    });
  return [
    row("opened", "", "Flows begun", "flows_opened_total"),
    row("closed", "", "Flows ended", "flows_closed_total"),
    row("denied", "", "Flows denied by a rule", "flows_denied_total"),
    row("limited", "", "Flows beyond the limit", "flows_limited_total"),
    row("fromPeer", "octets", "Octets from the peer, in flows", "flows_from_peer_bytes_total"),
    row("toPeer", "octets", "Octets to the peer, in flows", "flows_to_peer_bytes_total"),
  ];
});

const BAD_FRAMES: readonly (readonly [field: string, meaning: string, kind: string])[] = [
  ["badFcs", "Frames with a wrong check sequence", "fcs"],
  ["runts", "Frames too short", "short"],
  ["overlong", "Frames too long", "long"],
  ["aborted", "Frames that were aborted", "aborted"],
  ["faults", "Frames dropped for a fault in this program", "fault"],
];

const agreed = WAYS.flatMap(([, way, done]) => {
  const at = (field: string): string => `lines[].agreed.${way}.${field}`;
  const other = way === "receive" ? "the peer" : "we";
  return [
    number(at("mru"), "octets", `The longest packet that is ${done}`, { name: `line_${way}_mru_bytes` }),
    text(at("accm"), `The control characters that ${other} must escape: eight hexadecimal digits`),
    truth(at("pcomp"), `The protocol field of what is ${done} may be compressed`),
    truth(at("accomp"), `The address and control fields of what is ${done} may be compressed`),
    number(at("fcs"), "bits", `The check sequence of what is ${done}`),
    text(at("auth"), `How ${other} had to prove who it is; missing: not at all`),
    number(at("mrru"), "octets", `With multilink, the longest packet that is ${done} in pieces`),
    text(
      at("endpoint"),
      `The endpoint discriminator of ${way === "receive" ? "this end" : "the peer"}: class and value`,
    ),
  ];
});

const lines: readonly StatusField[] = [
  text("lines[].device", "The device, or the address of a connection"),
  number("lines[].speed", "bit/s", "The speed that packets are paced for; 0: they are not paced", {
    name: "line_speed_baud",
  }),
  number("lines[].climbedFrom", "bit/s", "The speed with which the link began, if `climb` has changed it"),
  text("lines[].phase", "dead, establish, authenticate, callback, network or terminate", {
    name: "line_phase",
    label: "phase",
  }),
  number("lines[].silent", "seconds", "Time since the last good frame", { name: "line_silent_seconds" }),
  number("lines[].framesReceived", "frames", "Good frames received", { name: "line_received_frames_total" }),
  number("lines[].framesSent", "frames", "Frames sent", { name: "line_sent_frames_total" }),
  ...BAD_FRAMES.map(([field, meaning, kind]) =>
    number(`lines[].${field}`, "frames", `${meaning}, received`, {
      name: "line_bad_frames_total",
      labels: { kind },
      help: "Bad frames received",
    }),
  ),
  number("lines[].roundTrip.last", "milliseconds", "How long the last answer to an LCP echo took", {
    name: "line_round_trip_seconds",
    scale: 0.001,
  }),
  number("lines[].roundTrip.least", "milliseconds", "The quickest answer", {
    name: "line_round_trip_least_seconds",
    scale: 0.001,
  }),
  number("lines[].roundTrip.average", "milliseconds", "The average of all answers", {
    name: "line_round_trip_average_seconds",
    scale: 0.001,
  }),
  number("lines[].roundTrip.answered", "echoes", "Echoes that were answered", { name: "line_echoes_answered_total" }),
  number("lines[].roundTrip.lost", "echoes", "Echoes before those that were not answered", {
    name: "line_echoes_lost_total",
  }),
  number("lines[].roundTrip.seconds", "seconds", "Time since the last answer", { name: "line_round_trip_age_seconds" }),
  ...(["dtr", "rts", "cts", "dsr", "dcd", "ri"] as const).map((signal) =>
    truth(`lines[].modem.${signal}`, `The line ${signal.toUpperCase()} of the serial port is on`, {
      name: "line_modem_signal",
      labels: { signal },
      help: "1: the line of the serial port is on",
    }),
  ),
  number("lines[].waiting", "octets", "Octets that the line has not sent yet", { name: "line_waiting_bytes" }),
  number("lines[].ring.octets", "octets", "Of those, octets that the driver has not been given", {
    name: "line_ring_bytes",
  }),
  number("lines[].ring.size", "octets", "How many octets can be kept for the driver", { name: "line_ring_size_bytes" }),
  ...agreed,
];

export const STATUS_FIELDS: readonly StatusField[] = [
  text("interface", "The network interface"),
  number("pid", "", "The process"),
  text("namespace", "The network namespace of the interface"),
  text("linkname", "The name given by `linkname`"),
  text("peer", "The name that the peer has proved to have"),
  number("up", "seconds", "Time since a network protocol came up; missing: none is", { name: "link_up_seconds" }),
  number("mtu", "octets", "The longest packet that the interface takes", { name: "mtu_bytes" }),
  text("ipv4.our", "Our IPv4 address"),
  text("ipv4.peer", "The peer's IPv4 address"),
  text("ipv6.our", "Our link-local IPv6 address"),
  text("ipv6.peer", "The peer's link-local IPv6 address"),
  text("compression.receive", "The compression or encryption of what is received"),
  text("compression.transmit", "The compression or encryption of what is sent"),
  truth("vj.receive", "VJ header compression is in use for what is received"),
  truth("vj.transmit", "VJ header compression is in use for what is sent"),
  truth("interleave", "Long packets go in pieces, and short ones between them"),
  ...counters,
  number("rates.received", "octets/s", "Octets received in a second, over the last one"),
  number("rates.sent", "octets/s", "Octets sent in a second, over the last one"),
  number("queue.packets", "packets", "Packets that wait for the lines", { name: "queue_packets" }),
  number("queue.octets", "octets", "Octets of these packets", { name: "queue_bytes" }),
  number("queue.dropped", "packets", "Packets dropped to keep the queue short", {
    name: "queue_dropped_packets_total",
  }),
  number("queue.marked", "packets", "Packets marked (ECN) instead of that", { name: "queue_marked_packets_total" }),
  number("queue.overflowed", "packets", "Packets for which there was no room", {
    name: "queue_overflowed_packets_total",
  }),
  text("sharing.way", "How the peer uses this machine's network: kernel or sockets"),
  text("sharing.by", "What the kernel's rules are part of"),
  number("sharing.seconds", "seconds", "Time since that began", { name: "sharing_seconds" }),
  text("network", "The IPv6 network that Router Advertisements tell the peer of"),
  ...flows,
  text("proxy", "Where programs reach the link's network by a proxy"),
  text("files", "Where the peer finds our files"),
  text("transfers[].name", "A file that is on its way by `files`"),
  text("transfers[].to", "Where it goes: peer or us"),
  number("transfers[].octets", "octets", "Octets that have gone"),
  number("transfers[].of", "octets", "Octets in all; missing: nobody knows"),
  number("transfers[].rate", "octets/s", "Octets that went in a second, over the last ones"),
  ...lines,
];

/** Lines for people, one for each field. */
export function fieldsText(): string {
  const width = Math.max(...STATUS_FIELDS.map(({ path }) => path.length));
  const rows = STATUS_FIELDS.map(({ path, type, unit, meaning }) => {
    const kind = unit === "" ? type : unit;
    return `${path.padEnd(width)}  ${kind.padEnd(12)}  ${meaning}`;
  });
  return `${rows.join("\n")}\n`;
}

/** The value at a path without "[]". Undefined: it is missing. */
export function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
