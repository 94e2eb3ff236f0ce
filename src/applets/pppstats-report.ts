// Formats the output of pppstats(8): turns counters into lines with the columns of pppstats 2.4.9.

import { type Counters, NO_TRAFFIC, type Traffic, TRAFFIC_FIELDS } from "../link/counters.ts";

export interface ReportOptions {
  /** -a: totals since the link came up, instead of differences to the row before. */
  readonly absolute: boolean;
  /** -d: kB/s instead of bytes. The first row and -a show no rate. */
  readonly rate: boolean;
  /** -v */
  readonly vanJacobson: boolean;
  /** -r */
  readonly ratio: boolean;
  /** -z, which overrides -v and -r. */
  readonly compression: boolean;
  /** Seconds between rows. */
  readonly interval: number;
}

/** The values of one row in one direction. */
interface Shown {
  readonly traffic: Traffic;
  /** The total since the link came up, which includes `traffic`. */
  readonly total: Traffic;
  /** The seconds to divide by. Undefined: show no rate. */
  readonly seconds: number | undefined;
}

interface Column {
  /** The title has the width of the column. */
  readonly title: string;
  text(shown: Shown): string;
}

const BYTES_WIDTH = 8;
const WIDTH = 6;
const ROWS_A_HEADER = 20;

export class Report {
  readonly #options: ReportOptions;
  readonly #received: readonly Column[];
  readonly #sent: readonly Column[];
  #before: Counters | undefined;
  #rows = 0;

  constructor(options: ReportOptions) {
    this.#options = options;
    this.#received = options.compression ? compressionColumns(options) : receivedColumns(options);
    this.#sent = options.compression ? compressionColumns(options) : sentColumns(options);
  }

  /** The next row. The titles come before every {@link ROWS_A_HEADER} rows. */
  row(now: Counters): string {
    const { absolute, rate, interval } = this.#options;
    const seconds = rate && !absolute && this.#before !== undefined ? interval : undefined;
    const before = absolute || this.#isOtherLink(now) ? undefined : this.#before;
    const cells = (columns: readonly Column[], total: Traffic, past = NO_TRAFFIC): string => {
      const shown = { traffic: difference(total, past), total, seconds };
      return columns.map((column) => column.text(shown)).join(" ");
    };
    const received = cells(this.#received, now.received, before?.received);
    const row = this.#line(received, cells(this.#sent, now.sent, before?.sent));
    this.#before = now;
    return this.#rows++ % ROWS_A_HEADER === 0 ? this.#titles() + row : row;
  }

  /** True when counters went back: another link has the name now. */
  #isOtherLink({ received, sent }: Counters): boolean {
    const before = this.#before;
    return before !== undefined && (received.packets < before.received.packets || sent.packets < before.sent.packets);
  }

  #titles(): string {
    const titles = (columns: readonly Column[]): string => columns.map(({ title }) => title).join(" ");
    const line = this.#line(titles(this.#received), titles(this.#sent));
    return this.#options.compression ? COMPRESSION_TITLES + line : line;
  }

  #line(received: string, sent: string): string {
    return `${received}${this.#options.compression ? " | " : "  | "}${sent}\n`;
  }
}

const COMPRESSION_TITLES = "IN:  COMPRESSED  INCOMPRESSIBLE   COMP | OUT: COMPRESSED  INCOMPRESSIBLE   COMP\n";

function receivedColumns({ vanJacobson, ratio }: ReportOptions): Column[] {
  return [
    bytes("IN", ({ bytes }) => bytes),
    count("PACK", ({ packets }) => packets),
    count("VJCOMP", ({ vjCompressed }) => vjCompressed),
    ...(ratio
      ? []
      : [count("VJUNC", ({ vjUncompressed }) => vjUncompressed), count("VJERR", ({ vjErrors }) => vjErrors)]),
    ...(vanJacobson ? [count("VJTOSS", ({ vjTossed }) => vjTossed), count("NON-VJ", withoutVj)] : []),
    ...(ratio ? ratioColumns() : []),
  ];
}

function sentColumns({ vanJacobson, ratio }: ReportOptions): Column[] {
  return [
    bytes("OUT", ({ bytes }) => bytes),
    count("PACK", ({ packets }) => packets),
    count("VJCOMP", ({ vjCompressed }) => vjCompressed),
    ...(ratio ? [] : [count("VJUNC", ({ vjUncompressed }) => vjUncompressed), count("NON-VJ", withoutVj)]),
    ...(vanJacobson
      ? [count("VJSRCH", ({ vjSearches }) => vjSearches), count("VJMISS", ({ vjMisses }) => vjMisses)]
      : []),
    ...(ratio ? ratioColumns() : []),
  ];
}

/** The ratio of the row's traffic. Without compression pppstats shows 1 and no uncompressed bytes. */
function ratioColumns(): Column[] {
  return [
    { title: "RATIO".padStart(WIDTH), text: ({ traffic }) => decimal(compressionRatio(traffic) ?? 1, 2, WIDTH) },
    {
      title: "UBYTE".padStart(WIDTH),
      text: ({ traffic: { uncompressedBytes }, seconds }) =>
        seconds === undefined
          ? `${uncompressedBytes}`.padStart(WIDTH)
          : decimal(kilobytes(uncompressedBytes, seconds), 2, WIDTH),
    },
  ];
}

/** The ratio always covers all packets so far, even if the row shows a difference. */
function compressionColumns({ rate }: ReportOptions): Column[] {
  const unit = rate ? "KB/S" : "BYTE";
  return [
    bytes(unit, ({ compressedBytes }) => compressedBytes),
    count("PACK", ({ compressedPackets }) => compressedPackets),
    bytes(unit, ({ incompressibleBytes }) => incompressibleBytes),
    count("PACK", ({ incompressiblePackets }) => incompressiblePackets),
    { title: "RATIO".padStart(WIDTH), text: ({ total }) => decimal(compressionRatio(total) ?? 0, 2, WIDTH) },
  ];
}

function bytes(title: string, of: (traffic: Traffic) => number): Column {
  return {
    title: title.padStart(BYTES_WIDTH),
    text: ({ traffic, seconds }) =>
      seconds === undefined
        ? `${of(traffic)}`.padStart(BYTES_WIDTH)
        : decimal(kilobytes(of(traffic), seconds), 3, BYTES_WIDTH),
  };
}

function count(title: string, of: (traffic: Traffic) => number): Column {
  return { title: title.padStart(WIDTH), text: ({ traffic }) => `${of(traffic)}`.padStart(WIDTH) };
}

function withoutVj({ packets, vjCompressed, vjUncompressed }: Traffic): number {
  return packets - vjCompressed - vjUncompressed;
}

function compressionRatio(traffic: Traffic): number | undefined {
  const carried = traffic.compressedBytes + traffic.incompressibleBytes;
  return carried === 0 ? undefined : traffic.uncompressedBytes / carried;
}

function kilobytes(count: number, seconds: number): number {
  return count / 1000 / seconds;
}

function decimal(value: number, digits: number, width: number): string {
  return value.toFixed(digits).padStart(width);
}

function difference(total: Traffic, past: Traffic): Traffic {
  const left = { ...total };
  for (const field of TRAFFIC_FIELDS) left[field] -= past[field];
  return left;
}
