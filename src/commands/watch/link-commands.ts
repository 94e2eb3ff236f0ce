// What the keys do to a link, by its control socket.

import { closeSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import type { Status } from "../../run/live/published-status.ts";
import { ControlRefusal, type Conversation, converse, findLink, listLinks } from "../control-client.ts";
import type { LinkCommands } from "./watcher.ts";

/** What a capture has is for its owner alone. */
const OWN = 0o600;

export const linkCommands: LinkCommands = {
  async hangUp(link) {
    try {
      const { close } = await ask(link, "hangup");
      close();
      return `${link.interface} hangs up`;
    } catch (error) {
      return refusalText(error);
    }
  },

  async capture(link, ended) {
    const conversation = await ask(link, "capture");
    const path = resolve(captureName(link.interface, new Date()));
    let fd: number;
    try {
      fd = openSync(path, "wx", OWN);
    } catch (error) {
      conversation.close();
      throw error;
    }
    void copy(conversation, fd).then((trouble) => ended(trouble ?? `${path} is complete`));
    return { path, stop: () => conversation.close() };
  },
};

/** An interface of the same name may be in another network namespace, so the process counts too. */
async function ask({ interface: name, pid }: Status, verb: string): Promise<Conversation> {
  const { places } = await listLinks();
  const own = places.find((place) => place.pid === pid && place.interface === name);
  return await converse((own ?? (await findLink(name))).path, verb, name);
}

function refusalText(error: unknown): string {
  if (error instanceof ControlRefusal) return error.message;
  throw error;
}

function captureName(link: string, when: Date): string {
  const time = when.toISOString().replace(/\..*/, "").replace(/[-:]/g, "").replace("T", "-");
  return `nullmodem-${link.replace(/[^\w.-]/g, "_")}-${time}.pcapng`;
}

/** Writes what comes until the end. Returns what went wrong. */
async function copy({ octets, close }: Conversation, fd: number): Promise<string | undefined> {
  try {
    for await (const piece of octets) for (let at = 0; at < piece.length;) at += writeSync(fd, piece, at);
    return undefined;
  } catch (error) {
    return `The capture ended: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    close();
    closeSync(fd);
  }
}
