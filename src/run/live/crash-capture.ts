// The option crash-capture: when a link has died of a fault, the latest packets are written to a file in a folder. The
// folder has at most ten of these files. Which one is newest is told by its number, because the clock may have been set.

import { momentOf } from "../../files/http-date.ts";
import type { PacketRing } from "../../record/packet-ring.ts";
import { PcapngStream } from "../../record/pcapng-stream.ts";
import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";

const MOST_FILES = 10;
const PERMISSIONS = 0o600;
/** A line has one file for the same fault in this time, so that a caller who fails again and again costs little. */
const APART_MS = 60_000;
/** Only pcapng of our own making has these names. */
const NAME = /^nullmodem-(.+)-(\d{8}T\d{6}\.\d{3}Z)-(\d{1,9})\.pcapng$/;

interface KeptFile {
  readonly path: string;
  /** The line and the fault. */
  readonly kind: string;
  /** "20260131T235959.999Z": later ones are greater. */
  readonly time: string;
  readonly number: number;
}

/** Undefined: it is another file. */
function keptFile(directory: string, name: string): KeptFile | undefined {
  const [, kind, time, number] = NAME.exec(name) ?? [];
  return kind && time ? { path: `${directory}/${name}`, kind, time, number: Number(number) } : undefined;
}

function kindOf(line: string, fault: string): string {
  return `${line.slice(line.lastIndexOf("/") + 1)}-${fault}`.replace(/[^\w.:-]/g, "_");
}

/** `wallMs`: since 1970. */
function timeOf(wallMs: number): string {
  const { year, month, day, hour, minute, second } = momentOf(wallMs / 1000);
  const date = [month, day].map(two).join("");
  const time = [hour, minute, second].map(two).join("");
  return `${String(year).padStart(4, "0")}${date}T${time}.${String(Math.floor(wallMs % 1000)).padStart(3, "0")}Z`;
}

const two = (number: number): string => String(number).padStart(2, "0");

interface KeptPackets {
  readonly ring: PacketRing;
  nameOf(line: number): string;
}

export class CrashCapture {
  readonly #directory: string;
  readonly #machine: Pick<Machine, "clock" | "files">;
  readonly #log: Log;
  readonly #kept: KeptPackets;
  /** Of these, the log has said that they came again within the time. */
  readonly #passedOver = new Set<string>();

  constructor(directory: string, machine: Pick<Machine, "clock" | "files">, log: Log, kept: KeptPackets) {
    this.#directory = directory;
    this.#machine = machine;
    this.#log = log;
    this.#kept = kept;
  }

  /** The link on this line has died. A full disk costs the file and nothing else. */
  write(line: number, fault: string): void {
    const { clock, files } = this.#machine;
    if (files.isSymbolicLink(this.#directory)) {
      this.#log.write("error", `crash-capture: ${this.#directory} is a symbolic link, and those are not followed`);
      return;
    }
    const kind = kindOf(this.#kept.nameOf(line), fault);
    const others = this.#files();
    const wallMs = clock.wall();
    const [since, time] = [timeOf(Math.max(0, wallMs - APART_MS)), timeOf(wallMs)];
    if (others.some((file) => file.kind === kind && file.time > since && file.time <= time)) {
      this.#passOver(kind, fault);
      return;
    }
    this.#passedOver.delete(kind);
    const number = Math.max(0, ...others.map((file) => file.number)) + 1;
    const path = `${this.#directory}/nullmodem-${kind}-${time}-${number}.pcapng`;
    try {
      files.replace(path, this.#capture(), PERMISSIONS);
    } catch (error) {
      this.#log.write("error", `Couldn't write the latest packets to ${path}: ${reasonOf(error)}`);
      return;
    }
    this.#log.write("notice", `The link has died (${fault}); its latest packets are in ${path}`);
    this.#removeOld([...others, { path, kind, time, number }]);
  }

  #passOver(kind: string, fault: string): void {
    if (this.#passedOver.has(kind)) return;
    this.#passedOver.add(kind);
    this.#log.write("notice", `The link has died (${fault}); its packets of less than a minute ago are kept already`);
  }

  #capture(): Uint8Array {
    const { clock } = this.#machine;
    const blocks: Uint8Array[] = [];
    const stream = new PcapngStream({
      epoch: clock.wall() - clock.now(),
      hidePassword: true,
      name: (line) => this.#kept.nameOf(line),
      put: (block) => blocks.push(block) > 0,
    });
    stream.begin();
    for (const item of this.#kept.ring.items()) stream.add(item);
    return Buffer.concat(blocks);
  }

  /** Those that are there. None: the folder cannot be read. */
  #files(): KeptFile[] {
    try {
      return this.#machine.files.list(this.#directory).flatMap((name) => keptFile(this.#directory, name) ?? []);
    } catch {
      return [];
    }
  }

  /** A fault that comes often has room for its own files only: the oldest of the kind with most files is removed. */
  #removeOld(all: readonly KeptFile[]): void {
    const { files } = this.#machine;
    let kept = all.filter(({ path }) => files.isRegularFile(path)).toSorted((one, other) => one.number - other.number);
    while (kept.length > MOST_FILES) {
      const count = ({ kind }: KeptFile): number => kept.filter((file) => file.kind === kind).length;
      const most = Math.max(...kept.map(count));
      const old = kept.find((file) => count(file) === most)!;
      kept = kept.filter((file) => file !== old);
      try {
        files.remove(old.path);
      } catch (error) {
        this.#log.write("warn", `Couldn't remove ${old.path}: ${reasonOf(error)}`);
      }
    }
  }
}
