// How commands find a link among the control sockets of this machine, and talk to it.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlRefusal, converse, findLink, listLinks } from "../../src/commands/control-client.ts";
import { ControlSocket } from "../../src/os/net/control-socket.ts";
import { networkNamespace } from "../../src/os/net/namespace.ts";
import { PATIENCE_MS } from "../kit/patience.ts";

let folder = "";
const sockets: { close(): void }[] = [];
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "nullmodem-client-"))));
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
  rmSync(folder, { recursive: true });
});

/** A process that answers each request with these lines, and closes after that. */
function process(pid: number, answers: Readonly<Record<string, string>>): string {
  const path = join(folder, `nullmodem-${pid}.ctl`);
  sockets.push(
    new ControlSocket(path, (wire) => ({
      received(bytes) {
        const { verb } = JSON.parse(new TextDecoder().decode(bytes)) as { verb: string };
        wire.write(new TextEncoder().encode(answers[verb] ?? '{"ok":false,"error":"What?"}\n'));
        wire.close();
      },
      drained: () => {},
      finished: () => {},
      close: () => {},
    })),
  );
  return path;
}

function link(pid: number, names: Readonly<Record<string, string>>, namespace = networkNamespace()): string {
  const places = [{ device: "/dev/null", place: "/dev/null", state: "network", pid, namespace, ...names }];
  return process(pid, { links: `${JSON.stringify({ ok: true, links: places })}\n` });
}

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ControlRefusal);
  return (error as ControlRefusal).message;
}

test("a link is found by interface, linkname, device, and another name of the device", async () => {
  symlinkSync("/dev/zero", join(folder, "by-id"));
  const one = link(1, { interface: "ppp0", device: "/dev/zero", place: "/dev/zero" });
  const two = link(2, { linkname: "office" });
  process(3, { links: "nonsense\n" });
  writeFileSync(join(folder, "nullmodem-4.ctl"), "");
  writeFileSync(join(folder, "other.ctl"), "");
  for (const name of ["ppp0", "zero", "/dev/zero"])
    expect(await findLink(name, [folder], PATIENCE_MS)).toEqual({ path: one, name });
  // The process would not look it up.
  expect(await findLink(join(folder, "by-id"), [folder], PATIENCE_MS)).toEqual({ path: one, name: "/dev/zero" });
  for (const name of ["office", "null"])
    expect(await findLink(name, [folder], PATIENCE_MS)).toEqual({ path: two, name });
  expect((await listLinks([folder, folder], PATIENCE_MS)).places.map(({ path }) => path).sort()).toEqual([one, two]);
  expect(await refusalOf(findLink("ppp7", [folder], PATIENCE_MS))).toBe(
    "No link of this machine is called ppp7: nullmodem ctl shows the names that there are",
  );
});

test("between two attempts a link answers to its interface's name, unless another has it", async () => {
  expect(await refusalOf(findLink("ppp0", [folder], PATIENCE_MS))).toBe(
    "No link of this machine is called ppp0: no link runs",
  );
  const between = link(1, { usualInterface: "ppp0", device: "/dev/zero", place: "/dev/zero" });
  expect((await findLink("ppp0", [folder], PATIENCE_MS)).path).toBe(between);
  const other = link(2, { interface: "ppp0" });
  expect((await findLink("ppp0", [folder], PATIENCE_MS)).path).toBe(other);
});

test("an interface of our network comes before one of the same name elsewhere; two links of one name are an error", async () => {
  const one = link(1, { interface: "ppp0" });
  link(2, { interface: "ppp0" }, "net:[1]");
  expect((await findLink("ppp0", [folder], PATIENCE_MS)).path).toBe(one);
  link(3, { linkname: "office" });
  expect(await refusalOf(findLink("null", [folder], PATIENCE_MS))).toBe(
    "null means more than one link: ppp0 of process 1, no interface of process 3",
  );
});

test("an answer, a stream behind it, and what is wrong", async () => {
  const path = process(1, {
    hangup: '{"ok":true}\n',
    capture: '{"ok":true,"stream":true,"kind":"pcapng"}\nthe octets',
    debug: '{"ok":false,"error":"There is no link"}\n',
    redial: '{"ok":true',
  });
  const done = await converse(path, "hangup", "ppp0", [], PATIENCE_MS);
  expect(done.answer).toEqual({});
  done.close();
  const streaming = await converse(path, "capture", "ppp0", [], PATIENCE_MS);
  expect(streaming.answer).toEqual({ stream: true, kind: "pcapng" });
  let octets = "";
  for await (const piece of streaming.octets) octets += new TextDecoder().decode(piece);
  expect(octets).toBe("the octets");
  streaming.close();
  expect(await refusalOf(converse(path, "debug", "ppp0", [], PATIENCE_MS))).toBe("There is no link");
  expect(await refusalOf(converse(path, "redial", "ppp0", [], PATIENCE_MS))).toBe(
    "The process of the link does not answer",
  );
  expect(await refusalOf(converse(join(folder, "nullmodem-9.ctl"), "redial", "ppp0"))).toBe(
    "The process of the link has ended",
  );
});

test("a process that is stopped is not waited for, and is named where a link is looked for", async () => {
  const path = join(folder, "nullmodem-812.ctl");
  const silent = { received: () => {}, drained: () => {}, finished: () => {}, close: () => {} };
  sockets.push(new ControlSocket(path, () => silent));
  expect(await refusalOf(converse(path, "hangup", "ppp0", [], 10))).toBe("The process of the link does not answer");
  expect(await refusalOf(findLink("ppp0", [folder], 10))).toBe(
    "No link of this machine is called ppp0: no link runs; pid 812 does not answer",
  );
  expect((await listLinks([folder], 10)).silent).toEqual(["pid 812"]);
});

test("what is no place in the answer of another program is left out", async () => {
  const place = { device: "/dev/null", place: "/dev/null", state: "network", pid: 1, namespace: networkNamespace() };
  const wrong = [null, 5, [], {}, { ...place, device: 5 }, { ...place, pid: "1" }, { ...place, interface: {} }];
  process(1, { links: `${JSON.stringify({ ok: true, links: [...wrong, place] })}\n` });
  process(2, { links: '{"ok":true,"links":"none"}\n' });
  const { places, denied } = await listLinks([folder]);
  expect(places).toEqual([{ ...place, path: join(folder, "nullmodem-1.ctl") }]);
  expect(denied).toBe(0);
});
