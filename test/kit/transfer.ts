// Sends files over a link: text and noise in each direction, all four at once over TCP. Compares checksums, and
// measures what the line carried for them.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireStats } from "./wire.ts";
import type { End, Laplink, Side } from "./end.ts";
import { Rng } from "./rng.ts";

/** The octets of the text, and of the noise. The light load is for methods that do not touch the data. */
const SIZES = { full: 40_000, light: 10_000 } as const;
export type Load = keyof typeof SIZES;
const LOADS: readonly Load[] = ["full", "light"];
export const PORTS = { text: 5000, noise: 5001 } as const;
type Name = keyof typeof PORTS;
const NAMES: readonly Name[] = ["text", "noise"];

const OTHER: Readonly<Record<Side, Side>> = { server: "client", client: "server" };

/** Shell script in its own folder: waits for one caller and keeps what it receives. */
export function receive(port: number, file: string): string {
  // An nc whose input ends would hang up before it has received everything. The input of this one never ends.
  return `{ [ -p open ] || mkfifo open; } 2>/dev/null; busybox nc -l -p ${port} <>open >${file}`;
}

/** Shell script: sends a file to a listener, which may start a moment later. */
export function send(address: string, port: number, file: string): string {
  return `until busybox nc ${address} ${port} <${file}; do sleep 0.05; done`;
}

/** The data of each side: words of the repository, and random octets. */
function payloads(): Record<Side, Record<Name, Uint8Array>> {
  const root = join(import.meta.dir, "../..");
  const files = ["*.md", "src/**/*.ts"].flatMap((some) => [...new Bun.Glob(some).scanSync(root)].sort());
  const words = Buffer.concat(files.map((file) => readFileSync(join(root, file))));
  return {
    server: { text: words.subarray(0, SIZES.full), noise: new Rng(1).bytes(SIZES.full) },
    client: { text: words.subarray(-SIZES.full), noise: new Rng(2).bytes(SIZES.full) },
  };
}

let folders = 0;

export class Payload {
  /** Folders for /etc/ppp on both sides: the given files, `text` and `noise`. */
  readonly etc: Readonly<Record<Side, string>>;
  readonly #folder = mkdtempSync(join(tmpdir(), "nullmodem-payload-"));
  /** What each side sends. The light load is the beginning of it. */
  readonly #bytes = payloads();

  constructor(files: Readonly<Record<string, string>>) {
    const bytes = this.#bytes;
    const place = (side: Side): string => {
      const folder = join(this.#folder, side);
      mkdirSync(folder);
      for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
      for (const load of LOADS) {
        mkdirSync(join(folder, load));
        for (const name of NAMES) writeFileSync(join(folder, load, name), bytes[side][name].subarray(0, SIZES[load]));
      }
      return folder;
    };
    this.etc = { server: place("server"), client: place("client") };
  }

  /**
   * Sends the load in both directions. `address` is where each side is. Throws when data arrives changed or too late.
   */
  async transfer(link: Laplink, address: Readonly<Record<Side, string>>, load: Load = "full"): Promise<Transfer> {
    const before = await link.cable.stats();
    const seconds = await Promise.all([
      this.#exchange(link.server, "server", address.client, load),
      this.#exchange(link.client, "client", address.server, load),
    ]);
    const { ab, ba } = await link.cable.stats();
    return {
      seconds: Math.max(...seconds),
      octets: NAMES.length * SIZES[load],
      line: { server: since(before.ab, ab), client: since(before.ba, ba) },
    };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The part of one side. Resolves to the seconds that it took by that side's clock. */
  async #exchange(end: End, side: Side, to: string, load: Load): Promise<number> {
    const parts = NAMES.flatMap((name) => [
      `${receive(PORTS[name], name)} &`,
      `${send(to, PORTS[name], `/etc/ppp/${load}/${name}`)} &`,
    ]);
    // Our machines all have this machine's /tmp.
    const folder = `/tmp/files-${process.pid}-${folders++}`;
    const time = "read -r up idle </proc/uptime; echo $up";
    const script = [
      `mkdir ${folder}; cd ${folder}; mkfifo open; ${time}`,
      ...parts,
      `wait; ${time}; sha256sum ${NAMES.join(" ")}; rm -r ${folder}`,
    ].join("\n");
    const late = Bun.sleep(WITHIN_MS).then(() => {
      throw new Error(`not everything has come to the ${side} within ${WITHIN_MS} ms`);
    });
    const { stdout, stderr } = await Promise.race([end.run(script), late]);
    const [from = "", until = "", ...sums] = stdout.trimEnd().split("\n");
    const wanted = NAMES.map((name) => {
      const sent = this.#bytes[OTHER[side]][name].subarray(0, SIZES[load]);
      return `${new Bun.CryptoHasher("sha256").update(sent).digest("hex")}  ${name}`;
    });
    if (sums.join("\n") !== wanted.join("\n"))
      throw new Error(`what came to the ${side} is not what was sent:\n${stdout}${stderr}`);
    return parseFloat(until) - parseFloat(from);
  }
}

/** A TCP whose retransmissions were hit repeatedly, on a busy machine, waits for a minute. */
const WITHIN_MS = 150_000;

export interface Transfer {
  /** What each side had to send. */
  readonly octets: number;
  readonly seconds: number;
  /** What the line carried in the meantime for this side's data. */
  readonly line: Readonly<Record<Side, WireStats>>;
}

/** The octets of payload for one octet of this side on the line. */
export function ratio({ line, octets }: Transfer, side: Side): number {
  return octets / line[side].taken;
}

function since(before: WireStats, after: WireStats): WireStats {
  const names = ["taken", "delivered", "flipped", "dropped", "lost"] as const;
  const difference = { ...after };
  for (const name of names) difference[name] -= before[name];
  return difference;
}
