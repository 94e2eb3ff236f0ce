// The option crash-capture: when a link has died of a fault, the latest packets are written to a file in a folder. The
// folder has the newest ten of these files.

import { momentOf } from "../../files/http-date.ts";
import type { PacketRing } from "../../record/packet-ring.ts";
import { PcapngStream } from "../../record/pcapng-stream.ts";
import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";

const MOST_FILES = 10;
const PERMISSIONS = 0o600;
const NAME = /^nullmodem-.+-(\d{8}T\d{6}\.\d{3}Z)\.pcapng$/;

/** Only pcapng of our own making has these names. `wallMs`: since 1970. */
function nameOf(line: string, wallMs: number): string {
  const place = line.slice(line.lastIndexOf("/") + 1).replace(/[^\w.:-]/g, "_");
  const { year, month, day, hour, minute, second } = momentOf(wallMs / 1000);
  const [date, time] = [
    [month, day],
    [hour, minute, second],
  ].map((parts) => parts.map(two).join(""));
  const thousandths = String(Math.floor(wallMs % 1000)).padStart(3, "0");
  return `nullmodem-${place}-${year}${date}T${time}.${thousandths}Z.pcapng`;
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

  constructor(directory: string, machine: Pick<Machine, "clock" | "files">, log: Log, kept: KeptPackets) {
    this.#directory = directory;
    this.#machine = machine;
    this.#log = log;
    this.#kept = kept;
  }

  /** The link on this line has died. A full disk costs the file and nothing else. */
  write(line: number, fault: string): void {
    const { clock, files } = this.#machine;
    const path = `${this.#directory}/${nameOf(this.#kept.nameOf(line), clock.wall())}`;
    if (files.isSymbolicLink(this.#directory)) {
      this.#log.write("error", `crash-capture: ${this.#directory} is a symbolic link, and those are not followed`);
      return;
    }
    try {
      files.replace(path, this.#capture(), PERMISSIONS);
      this.#log.write("notice", `The link has died (${fault}); its latest packets are in ${path}`);
      this.#removeOld();
    } catch (error) {
      this.#log.write("error", `Couldn't write the latest packets to ${path}: ${reasonOf(error)}`);
    }
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

  #removeOld(): void {
    const { files } = this.#machine;
    const moment = (name: string): string => NAME.exec(name)?.[1] ?? "";
    const names = files.list(this.#directory).filter((name) => NAME.test(name));
    const old = names.toSorted((one, other) => (moment(one) < moment(other) ? 1 : -1)).slice(MOST_FILES);
    for (const name of old) files.remove(`${this.#directory}/${name}`);
  }
}
