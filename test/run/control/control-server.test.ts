import { expect, test } from "bun:test";
import type { ControlConnection, ControlStream, ControlWire } from "../../../src/run/control/control-connection.ts";
import { ControlError, type ControlledLink, type Steered } from "../../../src/run/control/controlled-link.ts";
import { ControlServer } from "../../../src/run/control/control-server.ts";
import { VERBS } from "../../../src/run/control/control-verbs.ts";
import type { Verb } from "../../../src/run/control/verb.ts";
import { PacketLog } from "../../../src/run/live/packet-log.ts";
import { cuts } from "../../kit/cuts.ts";
import { until } from "../../kit/patience.ts";

/** A program's side of a connection. The kernel takes `room` octets. */
class Program {
  said = "";
  octets = 0;
  room = Infinity;
  isClosed = false;
  readonly wire: ControlWire = {
    user: "uid 7",
    write: (bytes) => {
      const taken = Math.min(this.room, bytes.length);
      this.room -= taken;
      this.octets += taken;
      this.said += new TextDecoder().decode(bytes.subarray(0, taken));
      return taken;
    },
    close: () => (this.isClosed = true),
  };

  get answers(): unknown[] {
    return this.said
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown);
  }
}

/** Notes what is asked of a link, or of one of its lines. */
function steered(done: string[], suffix = ""): Steered {
  return {
    hangup: () => void done.push(`hangup${suffix}`),
    redial: () => void done.push(`redial${suffix}`),
    renegotiate: (protocol) => void done.push(`renegotiate ${protocol}${suffix}`),
    limitRate: (rate) => void done.push(`limitRate ${rate}${suffix}`),
  };
}

interface Link extends ControlledLink {
  readonly done: string[];
  readonly packetLog: PacketLog;
}

function linkOf(ifname: string | undefined, ...devices: string[]): Link {
  const done: string[] = [];
  const packetLog = new PacketLog();
  return {
    packetLog,
    captured: { packetLog, clock: { now: () => 5, wall: () => 5 }, hidePassword: true },
    ...steered(done),
    done,
    interface: ifname,
    linkname: "office",
    lines: devices.map((device) => ({ device, place: device, state: "network", ...steered(done, ` of ${device}`) })),
    awaitState: (state, call) => {
      done.push(`await ${state}`);
      if (state === "up") call(true);
      return () => void done.push("cancel");
    },
    quit: () => void done.push("quit"),
    debug: (isOn) => void done.push(`debug ${isOn}`),
    asked: (verb, by) => void done.push(`${verb} (${by})`),
  };
}

function serverOf(links: readonly ControlledLink[], verbs: readonly Verb[] = VERBS): ControlServer {
  return new ControlServer(
    {
      pid: 42,
      owner: "uid 5",
      namespace: () => "net:[1]",
      realPath: (path) => path.replace("/by-id/", "/"),
      portPath: (path) => path,
      links: () => links,
    },
    verbs,
  );
}

function ask(connection: ControlConnection, text: string): void {
  connection.received(new TextEncoder().encode(text));
}

function answersTo(text: string, ...links: ControlledLink[]): unknown[] {
  const program = new Program();
  ask(serverOf(links).connect(program.wire), text);
  return program.answers;
}

const request = (verb: string, link?: string, words: unknown = []): string =>
  `${JSON.stringify({ verb, link, words })}\n`;

test("links names each line of each link", () => {
  const answers = answersTo(request("links"), linkOf("ppp0", "/dev/ttyS0", "/dev/ttyS1"), linkOf(undefined, "pty"));
  const process = { linkname: "office", state: "network", pid: 42, namespace: "net:[1]" };
  expect(answers).toEqual([
    {
      ok: true,
      links: [
        { interface: "ppp0", device: "/dev/ttyS0", place: "/dev/ttyS0", ...process },
        { interface: "ppp0", device: "/dev/ttyS1", place: "/dev/ttyS1", ...process },
        { device: "pty", place: "pty", ...process },
      ],
    },
  ]);
});

test.each([
  ["ppp0", ["hangup (uid 7)", "hangup"]],
  ["office", ["hangup (uid 7)", "hangup"]],
  ["ttyS1", ["hangup (uid 7)", "hangup of /dev/ttyS1"]],
  ["/dev/by-id/ttyS0", ["hangup (uid 7)", "hangup of /dev/ttyS0"]],
])("%s names a bundle or one line of it", (name, done) => {
  const link = linkOf("ppp0", "/dev/ttyS0", "/dev/ttyS1");
  expect(answersTo(request("hangup", name), link)).toEqual([{ ok: true }]);
  expect(link.done).toEqual(done);
});

test("the device of a single link means the link", () => {
  const link = linkOf(undefined, "/dev/ttyS0");
  expect(answersTo(request("hangup", "ttyS0"), link)).toEqual([{ ok: true }]);
  expect(link.done).toEqual(["hangup (uid 7)", "hangup"]);
});

test.each([
  ["x\n", "A request is one line of JSON"],
  ["7\n", "A request is an object of JSON"],
  ["[]\n", "A request is an object of JSON"],
  ["{}\n", 'A request has a "verb"'],
  ['{"verb":"hangup","link":3}\n', '"link" is a text'],
  ['{"verb":"hangup","words":"on"}\n', '"words" is a list of at most 32 texts'],
  [request("hangup", "ppp0", Array(33).fill("x")), '"words" is a list of at most 32 texts'],
  [request("hangupp", "ppp0"), 'There is no verb "hangupp"; did you mean hangup?'],
  [request("hangup"), "hangup needs a link"],
  [request("hangup", "ppp7"), "There is no link ppp7"],
  [request("hangup", "ppp0", ["now"]), "hangup takes no words"],
])("%j is refused by a plain sentence, and the next request is answered", (line, error) => {
  const link = linkOf("ppp0", "/dev/ttyS0");
  expect(answersTo(line + request("hangup", "ppp0"), link)).toEqual([{ ok: false, error }, { ok: true }]);
});

test.each([
  ["hangup", [], "hangup"],
  ["redial", [], "redial"],
  ["quit", [], "quit"],
  ["renegotiate", [], "renegotiate lcp"],
  ["renegotiate", ["ipcp"], "renegotiate ipcp"],
  ["debug", ["on"], "debug true"],
  ["debug", ["off"], "debug false"],
  ["datarate", ["1200"], "limitRate 1200"],
  ["datarate", ["off"], "limitRate 0"],
])("%s %j is carried out, after the log tells of it", (verb, words, done) => {
  const link = linkOf("ppp0", "/dev/ttyS0");
  expect(answersTo(request(verb, "office", words), link)).toEqual([{ ok: true }]);
  expect(link.done).toEqual([`${[verb, ...words].join(" ")} (uid 7)`, done]);
});

test.each([
  ["redial", ["now"], "redial takes no words"],
  ["renegotiate", ["LCP"], "The words of renegotiate are: [lcp|ccp|ipcp|ipv6cp]"],
  ["renegotiate", ["lcp", "ccp"], "The words of renegotiate are: [lcp|ccp|ipcp|ipv6cp]"],
  ["debug", [], "The words of debug are: on|off"],
  ["debug", ["constructor"], "The words of debug are: on|off"],
  ["debug", ["on", "off"], "The words of debug are: on|off"],
  ...["9", "0", "-1", "1e9", "1000000001", "1200 ", ""].map((word): [string, string[], string] => [
    "datarate",
    [word],
    "The words of datarate are: N|off",
  ]),
])("%s %j is wrong, and nothing is done", (verb, words, error) => {
  const link = linkOf("ppp0", "/dev/ttyS0");
  expect(answersTo(request(verb, "office", words), link)).toEqual([{ ok: false, error }]);
  expect(link.done).toEqual([]);
});

test("a request may come in any pieces", () => {
  const text = new TextEncoder().encode(request("hangup", "ppp0") + request("links").replace("\n", "\r\n"));
  for (const pieces of cuts(text)) {
    const program = new Program();
    const connection = serverOf([linkOf("ppp0")]).connect(program.wire);
    for (const piece of pieces) connection.received(piece);
    expect(program.answers).toEqual([{ ok: true }, { ok: true, links: [] }]);
  }
});

test("a line that is too long, and a flood of requests, end the connection", () => {
  for (const [text, error] of [
    ["x".repeat(4097), "A request has at most 4096 octets"],
    [request("links").repeat(17), "Too many requests at once"],
  ] as const) {
    const program = new Program();
    ask(serverOf([]).connect(program.wire), text);
    expect(program.answers).toEqual([{ ok: false, error }]);
    expect(program.isClosed).toBe(true);
  }
});

test("a program that never reads is dropped when 256 kB wait for it", () => {
  const program = new Program();
  program.room = 0;
  const connection = serverOf([linkOf("ppp0", "x".repeat(60_000))]).connect(program.wire);
  ask(connection, request("links"));
  ask(connection, request("links"));
  expect(program.isClosed).toBe(false);
  ask(connection, request("links"));
  expect(program.isClosed).toBe(true);
});

/** Programs of these users connect in turn, and wait if they are `busy`. */
function crowd(server: ControlServer, users: readonly string[], busy: boolean): Program[] {
  return users.map((user) => {
    const program = new Program();
    const connection = server.connect({ ...program.wire, user });
    if (busy) ask(connection, request("wait", "ppp0"));
    return program;
  });
}

/** Eight programs of each user. */
const users = (count: number): string[] => Array.from({ length: count }, (_, at) => `uid ${100 + (at >> 3)}`);
const closedOf = (programs: readonly Program[]): number[] =>
  programs.flatMap(({ isClosed }, at) => (isClosed ? [at] : []));

test("the longest idle of 32 programs makes room for another; busy ones do not", () => {
  const programs = crowd(serverOf([linkOf("ppp0")], [WAIT]), [...users(32), "uid 7"], false);
  expect(closedOf(programs)).toEqual([0]);
  const busy = crowd(serverOf([linkOf("ppp0")], [WAIT]), [...users(32), "uid 7"], true);
  expect(closedOf(busy)).toEqual([32]);
  expect(busy[32]!.answers).toEqual([{ ok: false, error: "32 programs are connected already" }]);
});

test("a user has 8 programs at most, and a ninth takes the place of an idle one of that user", () => {
  const server = serverOf([linkOf("ppp0")], [WAIT]);
  const others = crowd(server, ["uid 6"], false);
  const idle = crowd(server, Array<string>(9).fill("uid 7"), false);
  expect(closedOf(idle)).toEqual([0]);
  const busy = crowd(server, Array<string>(9).fill("uid 8"), true);
  expect(busy[8]!.answers).toEqual([{ ok: false, error: "8 programs of your user are connected already" }]);
  expect(closedOf(busy)).toEqual([8]);
  expect(closedOf(others)).toEqual([]);
});

test.each(["uid 0", "uid 5"])("root and the user of the process always get in (%s), and are not sent away", (user) => {
  const server = serverOf([linkOf("ppp0")], [WAIT]);
  const waiting = crowd(server, users(32), true);
  const masters = crowd(server, Array<string>(32).fill(user), true);
  expect(closedOf(waiting)).toHaveLength(32);
  expect(closedOf(masters)).toEqual([]);
  const [late] = crowd(server, ["uid 7"], false) as [Program];
  expect(late.answers).toEqual([{ ok: false, error: "32 programs are connected already" }]);
  expect(closedOf(masters)).toEqual([]);
});

test("a name that is none of the links' own words costs one look-up, and one that leads nowhere no more", () => {
  const looked: string[] = [];
  const look = (path: string): string | undefined => {
    looked.push(path);
    return path.includes("none") ? undefined : path;
  };
  const host = { pid: 1, owner: "uid 0", namespace: () => "", realPath: look, portPath: (path: string) => look(path)! };
  const server = new ControlServer({ ...host, links: () => [linkOf("ppp0", "/dev/ttyS0", "/dev/ttyS1")] });
  const hangup = (name: string): void => ask(server.connect(new Program().wire), request("hangup", name));
  for (const name of ["none", "ttyS1", "/dev/other"]) hangup(name);
  expect(looked).toEqual(["/dev/none", "/dev/other", "/dev/ttyS0", "/dev/ttyS1"]);
});

/** A verb that does not answer by itself. */
const WAIT: Verb = { name: "wait", words: "", about: "", run: () => {} };

/** A verb that streams, and how it went. */
function streaming(): { readonly verb: Verb; readonly streams: ControlStream[]; gone: number } {
  const kept = {
    streams: [] as ControlStream[],
    gone: 0,
    verb: {
      name: "flow",
      words: "",
      about: "",
      run: ({ reply }) => void kept.streams.push(reply.stream({ kind: "x" }, () => kept.gone++)),
    } satisfies Verb,
  };
  return kept;
}

test("a stream follows its answer, never waits, and takes all or nothing", () => {
  const flow = streaming();
  const program = new Program();
  const connection = serverOf([linkOf("ppp0")], [flow.verb]).connect(program.wire);
  ask(connection, request("flow", "ppp0") + request("links"));
  const [stream] = flow.streams as [ControlStream];
  expect(program.answers).toEqual([{ ok: true, stream: true, kind: "x" }]);
  program.room = 100_000;
  program.octets = 0;
  const piece = new Uint8Array(100_000);
  expect([0, 1, 2, 3].map(() => stream.send(piece))).toEqual([true, true, true, false]);
  expect(stream.backlog).toBe(200_000);
  program.room = 150_000;
  connection.drained();
  expect(stream.backlog).toBe(50_000);
  expect(stream.room).toBe(256 * 1024 - 50_000);
  stream.end();
  expect(program.isClosed).toBe(false);
  program.room = Infinity;
  connection.drained();
  expect(program.octets).toBe(300_000);
  expect([program.isClosed, flow.gone]).toEqual([true, 0]);
});

test("a stream learns once that its program has left; one that only ended its requests still reads", () => {
  const flow = streaming();
  const program = new Program();
  const connection = serverOf([linkOf("ppp0")], [flow.verb]).connect(program.wire);
  ask(connection, request("flow", "ppp0"));
  connection.finished();
  expect(flow.streams[0]!.send(new Uint8Array(10))).toBe(true);
  expect(program.isClosed).toBe(false);
  connection.close();
  connection.close();
  expect(flow.gone).toBe(1);
  expect(flow.streams[0]!.send(new Uint8Array(10))).toBe(false);
});

test("a program that left before its answer hinders nothing", () => {
  let left = 0;
  const late: (() => void)[] = [];
  const verb: Verb = {
    ...WAIT,
    run({ reply }) {
      reply.onGone(() => left++);
      late.push(() => reply.answer({}));
    },
  };
  const program = new Program();
  const connection = serverOf([linkOf("ppp0")], [verb]).connect(program.wire);
  ask(connection, request("wait", "ppp0"));
  connection.close();
  for (const call of late) call();
  expect([left, program.said]).toEqual([1, ""]);
});

test("wait is answered when its time comes, and forgotten when its program leaves", () => {
  const link = linkOf("ppp0");
  expect(answersTo(request("wait", "ppp0", ["up"]), link)).toEqual([{ ok: true, interface: "ppp0" }]);
  expect(answersTo(request("wait", "ppp0", ["sideways"]), link)).toEqual([
    { ok: false, error: "The words of wait are: up|down" },
  ]);
  const program = new Program();
  const connection = serverOf([link]).connect(program.wire);
  ask(connection, request("wait", "ppp0", ["down"]) + request("links"));
  expect(program.answers).toEqual([]);
  connection.close();
  expect(link.done).toEqual(["await up", "await down", "cancel"]);
});

test("a wait that is answered at once leaves the wait behind it to be forgotten when the program leaves", () => {
  const link = linkOf("ppp0");
  const cancelled: string[] = [];
  const awaitState: Link["awaitState"] = (state, call) => {
    if (state === "up") call(true);
    return () => void cancelled.push(state);
  };
  const program = new Program();
  const connection = serverOf([{ ...link, awaitState }]).connect(program.wire);
  ask(connection, request("wait", "ppp0", ["up"]) + request("wait", "ppp0", ["down"]));
  expect(program.answers).toEqual([{ ok: true, interface: "ppp0" }]);
  connection.close();
  expect(cancelled).toEqual(["down"]);
});

test("a capture whose session ends before it begins is ended, and so is one that has a fault", async () => {
  const link = linkOf("ppp0");
  const program = new Program();
  ask(serverOf([link]).connect(program.wire), request("capture", "ppp0"));
  link.packetLog.close();
  await until("the capture is over", () => program.isClosed);
  expect(program.said).toStartWith('{"ok":true,"stream":true}\n');
  expect(link.packetLog.readers).toEqual([]);

  const broken = new Program();
  const captured = { ...link.captured, packetLog: undefined as unknown as PacketLog };
  ask(serverOf([{ ...link, captured }]).connect(broken.wire), request("capture", "ppp0"));
  await until("the reader is released", () => broken.isClosed);
  expect(broken.said).toStartWith('{"ok":true,"stream":true}\n');
});

test("a verb that cannot be carried out says why", () => {
  const hangup = (): never => {
    throw new ControlError("There is no link to hang up");
  };
  const link = { ...linkOf("ppp0"), hangup };
  expect(answersTo(request("hangup", "ppp0"), link)).toEqual([{ ok: false, error: "There is no link to hang up" }]);
});
