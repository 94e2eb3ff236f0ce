// A program that serves the folder of its argument at a port of the loopback, and prints the port. It ends with its input.

import { thisMachine } from "../../src/applets/this-machine.ts";
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
  zoneAt: () => 0,
});
process.stdout.write(`${portOf(listening)}\n`);
await new FileLoop(thisMachine, server).run(listening, 0);
