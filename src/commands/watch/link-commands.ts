// What the keys do to a link, by its control socket.

import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import type { Status } from "../../run/live/published-status.ts";
import { ControlRefusal, type Conversation, converse, listLinks } from "../control-client.ts";
import type { LinkCommands } from "./watcher.ts";

/** What a capture has is for its owner alone. */
const OWN = 0o600;

/** Tests name directories of their own. */
export function linkCommands(directories?: string[]): LinkCommands {
  return {
    async hangUp(link) {
      try {
        const { close } = await ask(link, "hangup", directories);
        close();
        return `${link.interface} hangs up`;
      } catch (error) {
        return refusalText(error);
      }
    },

    async capture(link, ended) {
      const conversation = await ask(link, "capture", directories);
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
}

/**
 * Asks the process whose link was chosen. Another process may have a link of this name by now, or in another network
 * namespace. Throws ControlRefusal.
 */
async function ask({ interface: name, pid }: Status, verb: string, directories?: string[]): Promise<Conversation> {
  const { places, denied } = await listLinks(directories);
  const own = places.find((place) => place.pid === pid && place.interface === name);
  if (own !== undefined) return await converse(own.path, verb, name);
  if (denied > 0 && isProcess(pid))
    throw new ControlRefusal(`${name} belongs to another user: try sudo, or see control-group`);
  throw new ControlRefusal(`${name} of process ${pid} has ended`);
}

function isProcess(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
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
