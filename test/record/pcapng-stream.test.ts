import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { type Kept, NETWORK } from "../../src/record/packet-ring.ts";
import { PcapngStream } from "../../src/record/pcapng-stream.ts";
import { withRng } from "../kit/rng.ts";
import { readCapture } from "../kit/pcapng-text.ts";

const ECHO = fromHex("ff03c02109000008deadbeef");
const packet = (changes: Partial<Kept & { type: "packet" }> = {}): Kept => ({
  type: "packet",
  line: 0,
  isSent: false,
  time: 5,
  octets: ECHO,
  length: ECHO.length,
  badFrames: 0,
  leftOut: 0,
  ...changes,
});
const note = (text: string, line = 0): Kept => ({ type: "note", line, time: 5, text });

class Written {
  blocks: Uint8Array[] = [];
  isFull = false;
  readonly stream: PcapngStream;

  constructor(hidePassword = true) {
    this.stream = new PcapngStream({
      epoch: 1_000_000,
      hidePassword,
      name: (line) => (line === NETWORK ? "ppp0" : `/dev/ttyS${line}`),
      put: (block) => !this.isFull && this.blocks.push(block) > 0,
    });
  }

  add(...items: readonly Kept[]): this {
    for (const item of items) this.stream.add(item);
    return this;
  }

  get read() {
    return readCapture(Buffer.concat(this.blocks));
  }
}

test("a packet without room costs no block, and where there is room the block fits in it", () =>
  withRng((rng) => {
    let room = 10_000;
    const sizes: number[] = [];
    const put = (block: Uint8Array): boolean => sizes.push(block.length) > 0;
    const stream = new PcapngStream({ epoch: 0, hidePassword: true, name: String, put, room: () => room });
    stream.add(packet());
    sizes.length = 0;
    let left = 0;
    for (let count = 0; count < 2000; count++) {
      if (rng.chance(0.1)) stream.add(note("☎".repeat(rng.below(30))));
      sizes.length = 0;
      room = rng.below(8000);
      const octets = new Uint8Array(rng.below(300)).fill(0x21);
      stream.add(packet({ octets, length: 400, badFrames: rng.below(9), leftOut: rng.chance(0.1) ? 7 : 0 }));
      if (sizes.length === 0) left++;
      else expect(sizes[0]).toBeLessThanOrEqual(room);
    }
    expect(left).toBeGreaterThan(10);
    expect(left).toBeLessThan(2000);
    sizes.length = room = 0;
    stream.add(packet());
    expect(sizes).toEqual([]);
  }));

test("each line is an interface of its own, and so are the packets of the network", () => {
  const { packets } = new Written().add(
    packet({ line: 1 }),
    packet({ line: NETWORK, isSent: true, length: 1500 }),
    packet({ line: 0, time: 9.5 }),
    packet({ line: 1 }),
  ).read;
  expect(packets.map(({ line, isSent, time, length }) => [line, isSent, time, length])).toEqual([
    ["/dev/ttyS1", false, 1_000_005, 12],
    ["ppp0", true, 1_000_005, 1500],
    ["/dev/ttyS0", false, 1_000_009.5, 12],
    ["/dev/ttyS1", false, 1_000_005, 12],
  ]);
  expect(packets.every(({ octets }) => toHex(octets) === toHex(ECHO))).toBe(true);
});

test("a note is a line of the log at once, and a comment of the next packet", () => {
  const { packets, notes } = new Written().add(
    packet(),
    note("phase network"),
    note("IPv4 is up"),
    packet(),
    packet(),
    note("over"),
  ).read;
  expect(notes).toEqual(["/dev/ttyS0: phase network", "/dev/ttyS0: IPv4 is up", "/dev/ttyS0: over"]);
  expect(packets.map(({ comments }) => comments)).toEqual([[], ["phase network", "IPv4 is up"], []]);
});

test("bad frames are counted for each line by itself, from the first packet on, also when a link has begun anew", () => {
  const counts = [
    ["0", 3],
    ["1", 7],
    ["0", 3],
    ["0", 4],
    ["1", 9],
    ["0", 0],
    ["0", 2],
  ] as const;
  const { packets } = new Written().add(
    ...counts.map(([line, badFrames]) => packet({ line: Number(line), badFrames })),
  ).read;
  expect(packets.map(({ comments }) => comments)).toEqual([
    [], [], [], ["1 bad frame received before this one"], ["2 bad frames received before this one"], [], ["2 bad frames received before this one"],
  ]); // prettier-ignore
});

test("packets that were not kept are counted", () => {
  const { packets } = new Written().add(packet({ leftOut: 12 }), packet()).read;
  expect(packets.map(({ comments }) => comments)).toEqual([["12 packets before this one were not kept"], []]);
});

test("a count of bad frames that has come to its end goes on at 0", () => {
  const { packets } = new Written().add(packet({ badFrames: 0xfffe }), packet({ badFrames: 1 })).read;
  expect(packets[1]!.comments).toEqual(["3 bad frames received before this one"]);
});

test("packets that find no room are counted, and the next one says so", () => {
  const written = new Written().add(packet());
  written.isFull = true;
  written.add(packet(), note("phase dead"), packet(), packet());
  written.isFull = false;
  written.add(packet(), packet());
  expect(written.read.packets.map(({ comments }) => comments)).toEqual([
    [],
    ["phase dead", "3 packets were not captured here"],
    [],
  ]);
});

test("where there was no room for the beginning, it comes later", () => {
  const written = new Written();
  written.isFull = true;
  written.add(packet());
  written.isFull = false;
  written.add(packet());
  expect(written.read.packets.map(({ comments }) => comments)).toEqual([["1 packet was not captured here"]]);
});

test("a password is hidden unless that is not wished, and the packet of the caller stays as it is", () => {
  const request = Uint8Array.of(0xff, 3, 0xc0, 0x23, 1, 1, 0, 11, 1, 0x75, 4, ...Buffer.from("pass"));
  const shown = (hidePassword: boolean): string =>
    Buffer.from(new Written(hidePassword).add(packet({ octets: request })).read.packets[0]!.octets).toString("latin1");
  expect(shown(true)).toEndWith("\x01u\x04****");
  expect(shown(false)).toEndWith("\x01u\x04pass");
  expect(Buffer.from(request).toString("latin1")).toEndWith("pass");
});
