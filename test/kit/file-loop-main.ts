// A program that serves the folder of its argument at a port of the loopback, and prints the port. It ends with its input.
// The address /fault has a fault: its answer throws.

import { thisMachine } from "../../src/applets/this-machine.ts";
import { type Answering, Connection } from "../../src/files/connection.ts";
import { Server } from "../../src/files/server.ts";
import { RootedFolder } from "../../src/os/files/rooted-folder.ts";
import { listenOn, portOf } from "../../src/os/net/tcp.ts";
import { FileLoop } from "../../src/run/files/file-loop.ts";

const listening = listenOn({ family: 4, address: "127.0.0.1", port: 0 }, 128);
const server = new Server({
  folder: new RootedFolder(process.argv[2]!),
  isWritable: true,
  quota: Infinity,
  hasShortNames: false,
  knows: undefined,
  assets: new Map(),
  version: "0",
  wall: () => Math.floor(Date.now() / 1000),
  now: () => Math.floor(performance.now() / 1000),
  uuid: () => crypto.randomUUID(),
  zoneAt: () => 0,
});
process.stdout.write(`${portOf(listening)}\n`);
const answering: Answering = {
  headers: () => server.headers(),
  answer(request) {
    if (request.path[0] === "fault") throw new Error("a fault of the server");
    return server.answer(request);
  },
};
await new FileLoop(thisMachine, { work: () => server.work() }).run(
  [{ listening, connect: (now) => new Connection(answering, now) }],
  0,
);
