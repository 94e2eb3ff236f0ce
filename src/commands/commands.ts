// Our own words, which no pppd has: each loaded only when it is said.

import type { Program } from "../applets/applets.ts";

export const COMMANDS = {
  status: async (): Promise<Program> => (await import("./status.ts")).status,
  service: async (): Promise<Program> => (await import("./service.ts")).service,
  cleanup: async (): Promise<Program> => (await import("./cleanup.ts")).cleanup,
};
export type Command = keyof typeof COMMANDS;
