// The second act of the demo: two commands without a file find each other on a cable of unknown speed.

import { consola } from "consola";
import { type Cable, openCable } from "../../test/kit/cable.ts";
import { closeMachines } from "../../test/kit/machine.ts";
import { built } from "../../test/kit/program.ts";
import { endBoth, openSide, runIn, show, start, UP_MS } from "./stage.ts";

/** The server's speed, of which the client knows nothing. */
const SPEED = 19200;
const UP = /^remote IP address ([\d.]+)/;

/** `made` is told of the cable. True: all went well, and nothing is left. */
export async function meeting(made: (cable: Cable) => void): Promise<boolean> {
  const cable = await openCable({ baud: "ports" });
  made(cable);
  consola.info(
    `Second act: the same two machines without any file, on a cable whose ends can have\n` +
      `  different speeds. The server is set to ${SPEED}, and nobody tells the client.`,
  );
  const server = await openSide("griis", "server", "ttyS1", cable.b);
  const client = await openSide("wylg", "client", "ttyS0", cable.a);
  const nullmodem = built();
  const serving = start(server, nullmodem, "serve", "ttyS1", "--speed", String(SPEED));
  const joining = start(client, nullmodem, "join", "ttyS0");
  const looked = await joining.waitFor("Looking for the other end", { within: UP_MS });
  const up = await joining.waitFor(UP, { within: UP_MS });
  consola.success(
    `They found each other at ${SPEED}: ${((up.at - looked.at) / 1000).toFixed(2)} s until the link is up`,
  );
  await runIn(client, "ping.ts", [UP.exec(up.text)![1]!, "2"], (text) => show(client.tag, text));
  const clean = await endBoth([client, joining], [server, serving]);
  await closeMachines();
  return clean;
}
